import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callerKey, ROLES, type Role } from '../../../src/model/caller.ts';
import { HatobaError } from '../../../src/model/errors.ts';
import { callerOf, type RoleNames } from '../../../src/openstack/keystone/keystone-caller.ts';
import type { Identity, Scope } from '../../../src/openstack/keystone/token-document.ts';

const NAMES: RoleNames = { admin: ['admin', 'cloud_admin'], member: ['member'], reader: ['reader'] };
const PROJECT: Scope = { kind: 'project', project: 'p1' };

function identity(roles: readonly string[], scope = PROJECT): Identity {
  return { userId: 'u1', user: 'alice', domain: 'Default', scope, roles, issuedAt: 0, expiresAt: 0 };
}

describe('the highest role counts:', () => {
  test.each<[readonly string[], Role, boolean]>([
    [['reader'], 'reader', false],
    [['member', 'reader'], 'member', false],
    [['reader', 'swift', 'member'], 'member', false],
    [['reader', 'member', 'admin'], 'admin', true],
    [['cloud_admin'], 'admin', true],
    [['Member'], 'member', false],
    [['ADMIN'], 'admin', true],
  ])('%j', (roles, role, allProjects) => {
    expect(callerOf(identity(roles), NAMES)).toEqual({
      name: 'keystone alice@Default',
      id: 'keystone u1',
      role,
      project: 'p1',
      allProjects,
    });
  });
});

test('who has no role that counts is told which do', () => {
  const attempt = (roles: readonly string[]) => () => callerOf(identity(roles), NAMES);
  expect(attempt(['swift', 'heat'])).toThrow('the roles of alice give no right here: swift, heat');
  expect(attempt(['swift'])).toThrow(
    expect.objectContaining({
      code: 'roles_useless',
      hint: expect.stringContaining('admin, cloud_admin, member, reader'),
    }),
  );
  expect(attempt([])).toThrow('the roles of alice give no right here: none');
});

test('users of one name in different domains are different callers', () => {
  const [one, other] = [identity(['member']), { ...identity(['member']), userId: 'u2', domain: 'Other' }];
  const callers = [one, other, { ...one, scope: { kind: 'project', project: 'p2' } as const }].map((each) =>
    callerOf(each, NAMES),
  );
  expect(callers.map(({ name }) => name)).toEqual([
    'keystone alice@Default',
    'keystone alice@Other',
    'keystone alice@Default',
  ]);
  expect(new Set(callers.map(callerKey)).size).toBe(3);
  expect(callerKey(callerOf(one, NAMES))).toBe(callerKey(callerOf({ ...one, roles: ['reader'] }, NAMES)));
});

describe('a token for', () => {
  test('the whole system is good for admins, who then have no project of their own', () => {
    expect(callerOf(identity(['admin', 'reader'], { kind: 'system' }), NAMES)).toEqual({
      name: 'keystone alice@Default',
      id: 'keystone u1',
      role: 'admin',
      project: null,
      allProjects: true,
    });
    expect(() => callerOf(identity(['member', 'reader'], { kind: 'system' }), NAMES)).toThrow(
      expect.objectContaining({
        code: 'roles_useless',
        hint: expect.stringMatching(/roles: admin, cloud_admin\.$/),
      }),
    );
  });

  test('a domain or nothing is good for nobody', () => {
    expect(() => callerOf(identity(['admin'], { kind: 'other' }), NAMES)).toThrow(
      expect.objectContaining({ code: 'token_unscoped' }),
    );
  });
});

test('nobody gets a role that no role of the token stands for, nor sees all projects without being admin', () => {
  const names = fc.constantFrom('admin', 'member', 'reader', 'service', 'administrator', 'admin ', '');
  const roleNames = fc.record({
    admin: fc.array(names, { maxLength: 2 }),
    member: fc.array(names, { maxLength: 2 }),
    reader: fc.array(names, { maxLength: 2 }),
  });
  const scopes = fc.constantFrom<Scope>(PROJECT, { kind: 'system' }, { kind: 'other' });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 4 }), scopes, roleNames, (roles, scope, wanted) => {
      const entitled = ROLES.filter((role) => wanted[role].some((name) => roles.includes(name)));
      const caller = attempt(() => callerOf(identity(roles, scope), wanted));
      if (caller === null) return scope.kind !== 'project' || entitled.length === 0;
      const isHighest = caller.role === entitled.at(-1);
      return (
        isHighest && caller.allProjects === (caller.role === 'admin') && (caller.allProjects || caller.project === 'p1')
      );
    }),
  );
});

/** `null`: refused. */
function attempt<Result>(action: () => Result): Result | null {
  try {
    return action();
  } catch (error) {
    if (error instanceof HatobaError) return null;
    throw error;
  }
}
