import { describe, expect, test } from 'vitest';
import { type Caller, callerKey, hasRole, ROLES } from '../../src/model/caller.ts';

const member: Caller = { name: 'token ci', role: 'member', project: 'red', allProjects: false };

describe('hasRole', () => {
  test.each([
    ['reader', ['reader']],
    ['member', ['reader', 'member']],
    ['admin', ['reader', 'member', 'admin']],
  ] as const)('a %s may do what needs %j', (role, allowed) => {
    expect(ROLES.filter((needed) => hasRole({ ...member, role }, needed))).toEqual(allowed);
  });
});

describe('callerKey', () => {
  test.each<[Partial<Caller>, boolean]>([
    [{ role: 'admin', allProjects: true }, true],
    [{ name: 'token cd' }, false],
    [{ project: 'blue' }, false],
    [{ project: null }, false],
    [{ id: 'u1' }, false],
    [{ id: 'u1', name: 'token cd' }, false],
  ])('%j is the same caller: %j', (difference, expected) => {
    expect(callerKey({ ...member, ...difference }) === callerKey(member)).toBe(expected);
  });

  test('an id counts more than a name', () => {
    expect(callerKey({ ...member, id: 'u1' })).toBe(callerKey({ ...member, id: 'u1', name: 'token cd' }));
  });
});
