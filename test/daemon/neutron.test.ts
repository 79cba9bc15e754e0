import { describe, expect, test } from 'vitest';
import { createRouterOwners } from '../../src/api/neutron/upstream/router-owners.ts';
import { parseConfig } from '../../src/daemon/config-file.ts';
import { neutronOptions } from '../../src/daemon/neutron.ts';
import type { NeutronKeys } from '../../src/daemon/neutron-schema.ts';
import type { Role } from '../../src/model/caller.ts';
import { hatobaError } from '../../src/model/errors.ts';

const UPSTREAM = 'http://192.0.2.1:9696';

function keysOf(neutron: object): NeutronKeys {
  const { neutron: keys } = parseConfig('f', JSON.stringify({ neutron }));
  if (typeof keys !== 'object') throw new Error('it was not read');
  return keys;
}

const told: unknown[] = [];
const log = { info: (...words: unknown[]) => told.push(words), warn: (...words: unknown[]) => told.push(words) };

type Service = Parameters<typeof neutronOptions>[2];

function optionsOf(neutron: object, keystone: Service = null) {
  return neutronOptions({ neutron: keysOf(neutron) }, createRouterOwners(), keystone, log);
}

/** A Keystone that gives our account this role. */
function keystoneWith(role: Role): Service {
  const caller = { name: 'hatoba', role, project: 'service', allProjects: role === 'admin' };
  return { ownToken: async () => 'own', identify: async () => caller };
}

describe('the key neutron', () => {
  test('names no upstream unless it does', () => {
    expect(neutronOptions({ neutron: true }, createRouterOwners(), null, log)).toEqual({});
    expect(optionsOf({ single_port_ranges: true })).toEqual({ singlePortRanges: true });
  });

  test('names the upstream, and how often ports are looked for there', () => {
    const { upstream } = optionsOf({ upstream: UPSTREAM, sweep_seconds: 5 });
    expect(upstream).toMatchObject({ upstream: { url: new URL(UPSTREAM) }, sweepInterval: 5_000 });
    expect(optionsOf({ upstream: UPSTREAM }).upstream?.sweepInterval).toBe(60_000);
  });

  test.each([
    [{ upstream: 'controller:9696' }, 'neutron.upstream must be an address that begins with http:// or https://'],
    [{ upstream: 'http://me:secret@controller' }, 'neutron.upstream must be an address'],
    [{ upstream: UPSTREAM, sweep_seconds: 0 }, 'neutron.sweep_seconds must be >= 1'],
    [{ upsteam: UPSTREAM }, 'there is no key neutron.upsteam'],
  ])('is refused where it makes no sense: %o', (keys, reason) => {
    expect(() => keysOf(keys)).toThrow(reason);
  });

  test('is refused where its authorities cannot be read', () => {
    const keys = { upstream: UPSTREAM, upstream_ca_file: '/nowhere/ca.pem' };
    expect(() => optionsOf(keys)).toThrow('/nowhere/ca.pem');
  });
});

describe('the account of the service', () => {
  const accountWith = (keystone: Service) => optionsOf({ upstream: UPSTREAM }, keystone).upstream?.account();

  test('is nobody where nobody is asked', async () => {
    expect(await accountWith(null)).toEqual({ credentials: [], seesAll: true });
  });

  test('sees all as an admin, and else what Neutron shows it', async () => {
    const credentials = [['x-auth-token', 'own']];
    expect(await accountWith(keystoneWith('admin'))).toEqual({ credentials, seesAll: true });
    expect(await accountWith(keystoneWith('member'))).toEqual({ credentials, seesAll: false });
    const useless = hatobaError('roles_useless', { user: 'hatoba', roles: 'service', needed: 'admin' });
    const service = { ownToken: async () => 'own', identify: () => Promise.reject(useless) };
    expect(await accountWith(service)).toEqual({ credentials, seesAll: false });
  });

  test('is not known while Keystone is away', async () => {
    const away = { ownToken: () => Promise.reject(new Error('away')), identify: async () => null };
    await expect(accountWith(away)).rejects.toThrow('away');
  });
});

test('that Neutron is away is told once, with its address', async () => {
  told.length = 0;
  const { upstream } = optionsOf({ upstream: 'http://127.0.0.1:1' }).upstream ?? {};
  const call = { method: 'GET', path: '/', headers: [], body: null };
  for (let n = 0; n < 3; n++) await expect(upstream?.send(call)).rejects.not.toThrow('127.0.0.1');
  const error = expect.objectContaining({ message: 'connect ECONNREFUSED 127.0.0.1:1' });
  const reason = expect.stringContaining('ECONNREFUSED');
  expect(told).toEqual([[{ url: 'http://127.0.0.1:1', reason, error }, 'Neutron does not answer']]);
});
