import { expect, test } from 'vitest';
import { callerOfToken, isTokenExpired, parseApiTokenSpec } from '../../src/model/api-token.ts';

test('what is left out is null', () => {
  expect(parseApiTokenSpec({ name: 'ci', role: 'reader' })).toEqual({
    name: 'ci',
    role: 'reader',
    project: null,
    expiresAt: null,
  });
});

test('times are brought into one form, in which they sort', () => {
  const spec = parseApiTokenSpec({ name: 'ci', role: 'reader', expires_at: '2030-01-01T09:00:00+09:00' });
  expect(spec.expiresAt).toBe('2030-01-01T00:00:00.000Z');
  expect(isTokenExpired(spec, '2029-12-31T23:59:59.999Z')).toBe(false);
  expect(isTokenExpired(spec, '2030-01-01T00:00:00.000Z')).toBe(true);
  expect(isTokenExpired({ expiresAt: null }, '9999-12-31T23:59:59.999Z')).toBe(false);
});

test('only a token without a project sees all of them', () => {
  const bound = parseApiTokenSpec({ name: 'ci', role: 'admin', project: 'red' });
  expect(callerOfToken(bound)).toEqual({ name: 'token ci', role: 'admin', project: 'red', allProjects: false });
  const free = parseApiTokenSpec({ name: 'ops', role: 'reader' });
  expect(callerOfToken(free)).toEqual({ name: 'token ops', role: 'reader', project: null, allProjects: true });
});
