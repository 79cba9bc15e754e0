import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { type Cloud as Identities, startCloud } from './cloud.ts';
import { type Account, inProject } from './keystone-admin.ts';
import { addressOf, ask, BUILDING, buildCloud, type Cloud, type Json, make } from './neutron-bench.ts';
import { type NeutronServer, startNeutron } from './neutron-server.ts';

const INFRA = 'infra';

const cleanup = new AsyncDisposableStack();
let identities: Identities;
let neutron: NeutronServer;
let home: DaemonHome;
/** Of hatoba. */
let url: string;
/** A member of the project blue, and a reader of another. */
let member: string;
let reader: string;
let cloud: Cloud;

/** As a service has it: it checks tokens, and sees everything. */
async function serviceAccount(): Promise<Account> {
  const { admin } = identities;
  const account = await admin.user('keeper');
  await admin.grant(account, await admin.role('admin'), await admin.project(INFRA));
  return account;
}

/** Puts a service into the catalogue. */
async function publish(type: string, at: string): Promise<void> {
  const { server, admin, ann, blue } = identities;
  const token = await admin.logIn(ann, inProject(blue));
  const service = await post(`${server.url}/services`, token, 'service', { type, name: type });
  for (const name of ['internal', 'public']) {
    await post(`${server.url}/endpoints`, token, 'endpoint', { interface: name, url: at, service_id: service });
  }
}

/** Makes something in Keystone, and gives its id. */
async function post(place: string, token: string, resource: string, wish: Json): Promise<string> {
  const { status, body } = await ask(place, 'POST', token, { [resource]: wish });
  const id = /"id":"([\da-f]+)"/.exec(JSON.stringify(body))?.[1];
  if (status !== 201 || id === undefined) throw new Error(`${resource}: ${status} ${JSON.stringify(body)}`);
  return id;
}

function authtoken({ name, password }: Account): string {
  return `
[keystone_authtoken]
auth_type = password
auth_url = ${identities.server.url}
www_authenticate_uri = ${identities.server.url}
username = ${name}
password = ${password}
project_name = ${INFRA}
user_domain_name = Default
project_domain_name = Default
token_cache_time = -1
`;
}

beforeAll(async () => {
  identities = cleanup.use(await startCloud());
  const account = await serviceAccount();
  await publish('identity', identities.server.url);
  neutron = cleanup.use(await startNeutron({ auth: 'keystone', more: authtoken(account) }));
  home = cleanup.use(
    await openDaemonHome({
      roles: ['api'],
      listen: '127.0.0.1:0',
      authentication: 'tokens',
      keystone: {
        auth_url: identities.server.url,
        username: account.name,
        password: account.password,
        project: INFRA,
        cache_seconds: 0,
      },
      neutron: { upstream: neutron.url, sweep_seconds: 1 },
    }),
  );
  const daemon = await home.start();
  const { msg } = await daemon.logged((line) => String(line['msg']).startsWith('listening on 127'));
  url = `http://${String(msg).replace('listening on ', '')}`;
  await publish('network', url);
  const { admin, ann, mia, blue, green } = identities;
  member = await admin.logIn(mia, inProject(blue));
  reader = await admin.logIn(mia, inProject(green));
  cloud = await buildCloud(url, { operator: await admin.logIn(ann, inProject(blue)), tenant: member });
}, BUILDING);

afterAll(() => cleanup.disposeAsync());

test('who finds the network service in the catalogue, finds gateways', { timeout: BUILDING }, async () => {
  const { name, password } = identities.mia;
  const user = ['--os-username', name, '--os-password', password, '--os-user-domain-name', 'Default'];
  const scope = ['--os-auth-url', identities.server.url, '--os-project-id', identities.blue];
  const words = ['floating', 'ip', 'list', '-f', 'json'];
  const printed = await run('/usr/bin/openstack', [...user, ...scope, ...words]);
  expect(JSON.parse(printed)).toMatchObject([{ 'Floating IP Address': cloud.gateway, Project: identities.blue }]);
});

test('with tokens of Keystone, everybody has what is theirs, as long as the token is good', {
  timeout: BUILDING,
}, async () => {
  const ofProject = await ask(`${url}/v2.0/floatingips`, 'GET', member);
  expect(ofProject.body['floatingips']).toMatchObject([
    { floating_ip_address: cloud.gateway, router_id: cloud.router.id, project_id: identities.blue },
  ]);
  expect((await ask(`${url}/v2.0/floatingips`, 'GET', reader)).body).toEqual({ floatingips: [] });

  const port = await make(url, member, 'ports', 'port', { network_id: cloud.network.id });
  const gateway = /"id":"([\da-f-]+)"/.exec(JSON.stringify(ofProject.body))?.[1] ?? '';
  await make(url, member, `floatingips/${gateway}/port_forwardings`, 'port_forwarding', {
    protocol: 'tcp',
    internal_port_id: port.id,
    internal_ip_address: addressOf(port),
    internal_port: 22,
    external_port: 2222,
  });
  const own = await ask(`${url}/v1/forwards`, 'GET', member);
  expect(own.body['forwards']).toMatchObject([{ project_id: identities.blue, router: cloud.router.id }]);
  expect((await ask(`${url}/v1/forwards`, 'GET', reader)).body['forwards']).toEqual([]);

  // By the account of the service, which Neutron shows everything.
  await ask(`${neutron.url}/v2.0/ports/${port.id}`, 'DELETE', member);
  await eventually(async () => expect(await home.client.listForwards({})).toEqual([]), BUILDING);

  await identities.admin.revoke(member);
  for (const path of ['/v2.0/floatingips', '/v2.0/networks', `/v2.0/floatingips/${gateway}/port_forwardings`]) {
    expect([path, (await ask(`${url}${path}`, 'GET', member)).status]).toEqual([path, 401]);
  }
});
