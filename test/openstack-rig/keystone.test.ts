import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Caller } from '../../src/model/caller.ts';
import type { KeystoneOptions } from '../../src/openstack/keystone/keystone.ts';
import { type KeystoneUnderTest, keystoneOf } from '../openstack/keystone/keystone-under-test.ts';
import { run } from '../support/command.ts';
import { eventually } from '../support/eventually.ts';
import { type Cloud, SERVICE_HOME, startCloud } from './cloud.ts';
import { startProxy } from './counting-proxy.ts';
import { type Account, DOMAIN, inProject } from './keystone-admin.ts';
import { ADMIN_PASSWORD } from './keystone-server.ts';

const UNAVAILABLE = { code: 'authentication_unavailable', status: 503 };

/** Long enough to log in and to be checked on a busy machine. */
const LIFE_SECONDS = 8;

let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});

afterAll(() => cloud?.[Symbol.asyncDispose]());

beforeEach(() => {
  // Our own clock only: Keystone's goes on.
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What hatoba makes of the cloud's Keystone. */
function connect(differences: Partial<KeystoneOptions> = {}, account: Account = cloud.service): KeystoneUnderTest {
  const { name: username, password } = account;
  const { authUrl = cloud.server.url } = differences;
  return keystoneOf(authUrl, { account: { ...SERVICE_HOME, username, password }, ...differences });
}

/** What the command `openstack` prints, where it logs in as that user. */
async function openstack(
  { name, password }: Pick<Account, 'name' | 'password'>,
  scope: readonly string[],
  ...words: readonly string[]
): Promise<string> {
  const user = ['--os-username', name, '--os-password', password, '--os-user-domain-name', 'Default'];
  const printed = await run('/usr/bin/openstack', ['--os-auth-url', cloud.server.url, ...user, ...scope, ...words]);
  return printed.trim();
}

/** How many seconds pass for us. */
function pass(seconds: number): void {
  vi.advanceTimersByTime(seconds * 1_000);
}

describe('a token of', () => {
  test.each<[keyof Cloud & ('ann' | 'mia'), 'blue' | 'green', Partial<Caller>]>([
    ['ann', 'blue', { name: 'keystone ann@Default', role: 'admin', allProjects: true }],
    ['mia', 'blue', { name: 'keystone mia@Default', role: 'member', allProjects: false }],
    ['mia', 'green', { name: 'keystone mia@Default', role: 'reader', allProjects: false }],
  ])('%s in project %s', async (who, where, caller) => {
    using keystone = connect();
    const token = await cloud.admin.logIn(cloud[who], inProject(cloud[where]));
    expect(await keystone.identify(token)).toMatchObject({ ...caller, project: cloud[where] });
  });

  test('the admin for the whole system', async () => {
    using keystone = connect();
    const admin = { name: 'admin', password: ADMIN_PASSWORD };
    const token = await openstack(admin, ['--os-system-scope', 'all'], 'token', 'issue', '-f', 'value', '-c', 'id');
    expect(await keystone.identify(token)).toMatchObject({
      name: 'keystone admin@Default',
      role: 'admin',
      project: null,
      allProjects: true,
    });
  });

  test('somebody with another role only is refused', async () => {
    using keystone = connect();
    const token = await cloud.admin.logIn(cloud.odo, inProject(cloud.blue));
    await expect(keystone.identify(token)).rejects.toThrow('the roles of odo give no right here: auditor');
    using own = connect({ roleNames: { admin: ['admin'], member: ['member'], reader: ['Auditor'] } });
    expect(await own.identify(token)).toMatchObject({ role: 'reader', project: cloud.blue });
  });
});

describe('of no use is', () => {
  test('what Keystone has never made', async () => {
    using keystone = connect();
    expect(await keystone.identify('gAAAAABrA-yGZ6mhEK5vfe1S7')).toBeNull();
    expect(await keystone.identify('4b1b9a27')).toBeNull();
  });

  test.each([
    ['a domain', DOMAIN],
    ['nothing', 'unscoped' as const],
  ])('a token for %s', async (_, scope) => {
    using keystone = connect();
    const token = await cloud.admin.logIn(cloud.ann, scope);
    await expect(keystone.identify(token)).rejects.toMatchObject({ code: 'token_unscoped', status: 403 });
  });

  test('a token that was revoked, after the time for which it is remembered', async () => {
    using keystone = connect({ cacheSeconds: 30 });
    const scope = ['--os-project-name', 'blue', '--os-project-domain-name', 'Default'];
    const token = await openstack(cloud.mia, scope, 'token', 'issue', '-f', 'value', '-c', 'id');
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone mia@Default' });
    await openstack(cloud.mia, scope, 'token', 'revoke', token);
    pass(29);
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone mia@Default' });
    pass(1);
    expect(await keystone.identify(token)).toBeNull();
  });

  test('a token of somebody who has been disabled', async () => {
    using keystone = connect({ cacheSeconds: 0 });
    const gus = await cloud.admin.user('gus');
    await cloud.admin.grant(gus, await cloud.admin.role('member'), cloud.blue);
    const token = await cloud.admin.logIn(gus, inProject(cloud.blue));
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone gus@Default' });
    await cloud.admin.enable(gus, false);
    expect(await keystone.identify(token)).toBeNull();
  });

  test('a token that has expired, however long answers are remembered', async () => {
    vi.useRealTimers();
    using keystone = connect({ cacheSeconds: 3600 });
    const token = await cloud.admin.logInBriefly(cloud.mia, cloud.blue, LIFE_SECONDS);
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone mia@Default' });
    await sleep(LIFE_SECONDS * 1_000);
    expect(await keystone.identify(token)).toBeNull();
  });
});

test('one question serves all who come with the same token', async () => {
  await using proxy = await startProxy(cloud.server.url);
  using keystone = connect({ authUrl: proxy.url });
  const token = await cloud.admin.logIn(cloud.mia, inProject(cloud.blue));
  const callers = await Promise.all(Array.from({ length: 50 }, () => keystone.identify(token)));
  expect(new Set(callers.map((caller) => caller?.name))).toEqual(new Set(['keystone mia@Default']));
  expect(proxy.requests).toEqual(['POST /v3/auth/tokens?nocatalog', 'GET /v3/auth/tokens?nocatalog']);
});

describe('no token is good where', () => {
  test('the password of the service is wrong', async () => {
    using keystone = connect({}, { ...cloud.service, password: 'wrong' });
    const token = await cloud.admin.logIn(cloud.mia, inProject(cloud.blue));
    await expect(keystone.identify(token)).rejects.toMatchObject(UNAVAILABLE);
    await expect(keystone.identify(token)).rejects.toThrow('Keystone does not accept the credentials of this service');
  });

  test('the service may not check tokens', async () => {
    const home = await cloud.admin.project('home');
    const ian = await cloud.admin.user('ian');
    await cloud.admin.grant(ian, await cloud.admin.role('member'), home);
    using keystone = connect({
      account: { ...SERVICE_HOME, username: ian.name, password: ian.password, project: 'home' },
    });
    const token = await cloud.admin.logIn(cloud.mia, inProject(cloud.blue));
    await expect(keystone.identify(token)).rejects.toMatchObject(UNAVAILABLE);
    await expect(keystone.identify(token)).rejects.toThrow('Keystone does not let this service check tokens');
  });
});

test('where the own token is revoked, another is made', async () => {
  using keystone = connect({ cacheSeconds: 0 });
  const token = await cloud.admin.logIn(cloud.mia, inProject(cloud.blue));
  await keystone.identify(token);
  await cloud.admin.enable(cloud.service, false);
  await expect(keystone.identify(token)).rejects.toMatchObject(UNAVAILABLE);
  await cloud.admin.enable(cloud.service, true);
  // Keystone goes by seconds, and takes tokens of the one in which it revoked all for revoked.
  await sleep(2_000);
  await eventually(async () => {
    pass(1);
    expect(await keystone.identify(token)).toMatchObject({ name: 'keystone mia@Default' });
  });
});

test('while Keystone is down, only what is known counts, and only as long as ever', async () => {
  using keystone = connect({ cacheSeconds: 30 });
  const [known, unknown] = [await cloud.admin.logIn(cloud.mia, inProject(cloud.blue)), 'gAAAAABrA-yGZ6mhEK5vfe1S7'];
  await keystone.identify(known);
  await cloud.server.kill();
  pass(29);
  expect(await keystone.identify(known)).toMatchObject({ name: 'keystone mia@Default' });
  await expect(keystone.identify(unknown)).rejects.toMatchObject(UNAVAILABLE);
  pass(1);
  await expect(keystone.identify(known)).rejects.toMatchObject(UNAVAILABLE);
  await cloud.server.restart();
  expect(await keystone.identify(known)).toMatchObject({ name: 'keystone mia@Default' });
  expect(await keystone.identify(unknown)).toBeNull();
  expect(keystone.told).toEqual([expect.objectContaining(UNAVAILABLE), null]);
});
