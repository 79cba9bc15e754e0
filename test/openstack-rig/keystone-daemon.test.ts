import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { type Account, inProject } from './keystone-admin.ts';

const PROGRAM = join(import.meta.dirname, '../../bin/hatoba');
const CACHE_SECONDS = 2;

let cloud: Cloud;
let home: DaemonHome;
/** Where the daemon listens. */
let url = '';
const cleanup = new AsyncDisposableStack();

beforeAll(async () => {
  cloud = cleanup.use(await startCloud());
  const { name: username, password } = cloud.service;
  home = await openDaemonHome({
    roles: ['api'],
    listen: '127.0.0.1:0',
    authentication: 'tokens',
    keystone: { auth_url: cloud.server.url, username, password, project: 'service', cache_seconds: CACHE_SECONDS },
    projects: [{ project: '*', routers: [{ router: '*' }] }],
  });
  cleanup.use(home);
  const daemon = await home.start();
  const opened = /^listening on (127\..*)$/;
  const { msg } = await daemon.logged((line) => opened.test(String(line['msg'])));
  url = `http://${opened.exec(String(msg))?.[1]}`;
});

afterAll(() => cleanup.disposeAsync());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function ask(token: string, method = 'GET', path = '/v1/forwards', body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

function tokenOf(user: Account, project: string): Promise<string> {
  return cloud.admin.logIn(user, inProject(project));
}

function forwardOn(port: number): unknown {
  return { router: 'edge', external_port: port, internal_address: '192.168.50.11', internal_port: 80 };
}

describe('with a token of Keystone', () => {
  test('a member makes forwards of its project, a reader sees nothing of it, an admin everything', async () => {
    const [member, reader] = [await tokenOf(cloud.mia, cloud.blue), await tokenOf(cloud.mia, cloud.green)];
    const made = await ask(member, 'POST', '/v1/forwards?wait=0', forwardOn(5001));
    expect(made).toMatchObject({ status: 201, body: { project_id: cloud.blue } });
    expect(await ask(member)).toMatchObject({ status: 200, body: { forwards: [{ project_id: cloud.blue }] } });
    expect(await ask(reader)).toMatchObject({ status: 200, body: { forwards: [] } });
    const admin = await tokenOf(cloud.ann, cloud.blue);
    expect(await ask(admin)).toMatchObject({ status: 200, body: { forwards: [{ project_id: cloud.blue }] } });
    expect(await ask(reader, 'POST', '/v1/forwards?wait=0', forwardOn(5002))).toMatchObject({
      status: 403,
      body: { code: 'role_missing' },
    });
  });

  test('of no role that counts, nobody does anything', async () => {
    expect(await ask(await tokenOf(cloud.odo, cloud.blue))).toMatchObject({
      status: 403,
      body: { code: 'roles_useless' },
    });
  });

  test('that Keystone does not know, neither', async () => {
    expect(await ask('gAAAAABrA-yGZ6mhEK5vfe1S7')).toMatchObject({ status: 401, body: { code: 'not_authenticated' } });
  });

  test('that is revoked, nobody does anything after some time', async () => {
    const token = await tokenOf(cloud.mia, cloud.blue);
    expect(await ask(token)).toMatchObject({ status: 200 });
    await cloud.admin.revoke(token);
    await eventually(async () => expect(await ask(token)).toMatchObject({ status: 401 }));
  });

  test('that is revoked, an event stream tells nothing any more', async () => {
    const [token, other] = [await tokenOf(cloud.mia, cloud.blue), await tokenOf(cloud.mia, cloud.blue)];
    const events = await fetch(`${url}/v1/events`, { headers: { 'x-auth-token': token } });
    expect(events.status).toBe(200);
    await cloud.admin.revoke(token);
    await eventually(async () => expect(await ask(token)).toMatchObject({ status: 401 }));
    expect(await ask(other, 'POST', '/v1/forwards?wait=0', forwardOn(5003))).toMatchObject({ status: 201 });
    expect(await events.text()).not.toContain('5003');
  });

  test('the command line comes from elsewhere', async () => {
    const variables = [`HATOBA_URL=${url}`, `HATOBA_TOKEN=${await tokenOf(cloud.mia, cloud.blue)}`];
    const printed = await run('env', [...variables, PROGRAM, 'forward', 'list', '-o', 'json']);
    expect(JSON.parse(printed)).toContainEqual(expect.objectContaining({ project_id: cloud.blue }));
  });
});

test('while Keystone is down, the daemon says so, and works again when it is back', async () => {
  const token = await tokenOf(cloud.mia, cloud.blue);
  await cloud.server.kill();
  expect(await ask(token)).toMatchObject({ status: 503, body: { code: 'authentication_unavailable' } });
  // The socket needs nobody's word.
  expect(await home.client.listForwards({})).not.toEqual([]);
  await cloud.server.restart();
  expect(await ask(token)).toMatchObject({ status: 200 });
});
