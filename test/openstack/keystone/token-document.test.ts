import { describe, expect, test } from 'vitest';
import { parseToken } from '../../../src/openstack/keystone/token-document.ts';

const TOKEN = {
  user: { id: 'u1', name: 'alice', domain: { id: 'default', name: 'Default' } },
  roles: [{ id: 'r1', name: 'member' }],
  project: { id: 'p1', name: 'One', domain: { id: 'default', name: 'Default' } },
  issued_at: '2026-11-23T07:34:30.000000Z',
  expires_at: '2026-11-23T08:34:30.000000Z',
};

function parse(differences: Readonly<Record<string, unknown>>): unknown {
  return parseToken(JSON.stringify({ token: { ...TOKEN, ...differences } }));
}

test('what counts is read', () => {
  expect(parse({})).toEqual({
    userId: 'u1',
    user: 'alice',
    domain: 'Default',
    scope: { kind: 'project', project: 'p1' },
    roles: ['member'],
    issuedAt: Date.UTC(2026, 10, 23, 7, 34, 30),
    expiresAt: Date.UTC(2026, 10, 23, 8, 34, 30),
  });
});

test.each(['2026-11-23T08:34:30.000000', '2026-11-23T08:34:30', '2026-11-23T09:34:30+01:00'])(
  '%s is a time',
  (text) => {
    expect(parse({ expires_at: text })).toMatchObject({ expiresAt: Date.UTC(2026, 10, 23, 8, 34, 30) });
  },
);

describe('refused is', () => {
  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['no user', { user: undefined }],
    ['a user without a name', { user: { ...TOKEN.user, name: undefined } }],
    ['a user without a domain', { user: { id: 'u1', name: 'alice' } }],
    ['no time', { expires_at: null }],
    ['what is not a time', { expires_at: 'soon' }],
    ['a project without an id', { project: { id: '' } }],
    ['roles that are none', { roles: ['admin'] }],
    ['a part of the system', { project: undefined, system: { all: false } }],
  ])('%s', (_, differences) => {
    expect(() => parse(differences)).toThrow();
  });
});
