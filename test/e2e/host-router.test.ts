import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

let machine: Machine;
let home: DaemonHome;
let daemon: Daemon;

/** Two ways outside, and an inner network behind a bridge. */
beforeAll(async () => {
  machine = await bootMachine();
  home = await openDaemonHome({ neutron: false, host: {} }, machine);
  for (const [link, address, far] of [
    ['wan0', '192.0.2.2/24', 'far0'],
    ['wan1', '198.51.100.2/24', 'far1'],
    ['br-lan', '10.20.0.1/24', 'lan'],
  ] as const) {
    await ip(`link add ${link} type veth peer name ${far}`);
    await ip(`address add ${address} dev ${link}`);
    for (const end of [link, far]) await ip(`link set ${end} up`);
  }
  daemon = await home.start();
  await home.client.createForward(
    { name: 'web', router: 'host', external_port: 80, internal_address: '10.20.0.9' },
    '0',
  );
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  for (const opened of [home, machine]) await opened?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await ip('route flush default');
  await ip('-6 route flush default');
});

async function ip(line: string): Promise<void> {
  await machine.run('ip', ...line.split(' '));
}

/** Where the forward is, as the API says and as the kernel has it. */
async function expectGateway(...wanted: readonly string[]): Promise<void> {
  await expect.poll(async () => (await home.client.getRouter('host')).gateways).toEqual(wanted);
  const [first] = wanted;
  const elements = () => machine.run('nft', 'list', 'map', 'inet', 'hatoba', 'exact4');
  if (first !== undefined && !first.includes(':')) await expect.poll(elements).toContain(`${first} . tcp . 80`);
}

test('the outside interface is that of the default route, and follows it', async () => {
  await expectGateway();
  expect((await home.client.getForward('web')).status.state).toBe('pending');
  await ip('route add default via 192.0.2.1');
  await expectGateway('192.0.2.2');
  expect((await home.client.getForward('web')).status.state).toBe('active');
  await ip('route replace default via 198.51.100.1');
  await expectGateway('198.51.100.2');
  await ip('route delete default');
  await expectGateway();
});

test('of several the one with the lowest metric counts, and of several ways at once the first', async () => {
  await ip('route add default via 192.0.2.1 metric 200');
  await ip('route add default via 198.51.100.1 metric 100');
  await expectGateway('198.51.100.2');
  await ip('route delete default via 198.51.100.1 metric 100');
  await expectGateway('192.0.2.2');
  await ip('route add default metric 50 nexthop via 198.51.100.1 nexthop via 192.0.2.1');
  await expectGateway('198.51.100.2');
});

test('routes that are none: of other tables, with a type of service, that lead nowhere', async () => {
  await ip('route add default via 192.0.2.1 metric 9');
  await ip('route add default via 198.51.100.1 table 7');
  await ip('route add default via 198.51.100.1 tos 0x10');
  await ip('route add unreachable default metric 1');
  await ip('route add 0.0.0.0/1 via 198.51.100.1');
  await expectGateway('192.0.2.2');
  await ip('route flush table 7');
  await ip('route delete 0.0.0.0/1');
});

test('an interface that goes down takes its route along, though Linux tells of no such change', async () => {
  await ip('route add default via 192.0.2.1 metric 200');
  await ip('route add default via 198.51.100.1 metric 100');
  await expectGateway('198.51.100.2');
  await ip('link set wan1 down');
  await expectGateway('192.0.2.2');
  await ip('link set wan1 up');
  await ip('route add default via 198.51.100.1 metric 100');
  await expectGateway('198.51.100.2');
  await ip('address delete 198.51.100.2/24 dev wan1');
  await expectGateway('192.0.2.2');
  await ip('address add 198.51.100.2/24 dev wan1');
});

test('IPv6 has a way of its own', async () => {
  await ip('address add 2001:db8:1::2/64 dev wan1 nodad');
  await ip('route add default via 192.0.2.1');
  await ip('-6 route add default via 2001:db8:1::1');
  await expectGateway('192.0.2.2', '2001:db8:1::2');
  await ip('address delete 2001:db8:1::2/64 dev wan1');
  await expectGateway('192.0.2.2');
});

test('all other interfaces lead inside: clients there can use forwards to their own network', async () => {
  await ip('route add default via 192.0.2.1');
  await expectGateway('192.0.2.2');
  const hairpin = () => machine.run('nft', 'list', 'set', 'inet', 'hatoba', 'hairpin');
  await expect.poll(hairpin).toContain('"br-lan" . "br-lan"');
  expect(await hairpin()).toContain('"wan1" . "wan1"');
  expect(await hairpin()).not.toContain('wan0');
});

test('a restart finds the same', async () => {
  await ip('route add default via 198.51.100.1');
  await expectGateway('198.51.100.2');
  expect((await daemon.stop()).exit).toBe(0);
  daemon = await home.start();
  await expectGateway('198.51.100.2');
});
