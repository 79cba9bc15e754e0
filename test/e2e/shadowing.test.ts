import { afterAll, beforeAll, expect, test } from 'vitest';
import { nft, runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network, ROUTED } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const FLOATING = `-A neutron-l3-agent-PREROUTING -d ${ROUTED[4]}/32 -j DNAT --to-destination 10.20.0.77`;
const METADATA =
  '-A neutron-l3-agent-PREROUTING -d 169.254.169.254/32 -i qr-+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9697';
const AGENTS = (...rules: readonly string[]) =>
  [
    '*nat',
    ':neutron-l3-agent-PREROUTING - [0:0]',
    '-A PREROUTING -j neutron-l3-agent-PREROUTING',
    ...rules,
    'COMMIT',
    '',
  ].join('\n');

/** In ms: others' rules are not read more often than every five seconds. */
const PATIENCE = 60_000;

let network: Network;
let client: Peer;
let instance: Peer;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(80);
  await runIn(network.router, 'iptables-nft-restore', [], AGENTS(FLOATING, METADATA));
  home = await openDaemonHome({
    neutron: false,
    routers: [{ namespace: network.router, outside: ['qg-'], inside: ['qr-'] }],
  });
  daemon = await home.start();
});

afterAll(async () => {
  await daemon?.stop();
  for (const opened of [home, client, instance, network]) await opened?.[Symbol.asyncDispose]();
});

async function add(name: string, external: string): Promise<void> {
  await home.run('forward', 'add', '--socket', home.socket, '--name', name, external, `${INSTANCE[4]}:80`);
}

async function warningsOf(name: string): Promise<readonly string[]> {
  const { state, warnings } = (await home.client.getForward(name)).status;
  expect(state).toBe('active');
  return warnings;
}

async function toWarn(name: string, ...warnings: readonly string[]): Promise<void> {
  await eventually(async () => expect(await warningsOf(name)).toEqual(warnings), PATIENCE);
}

test('a forward that takes packets from rules of others says from which, and works', async () => {
  await add('plain', '8080');
  await add('floating', `${ROUTED[4]}:8080`);
  await toWarn('floating', `shadows a rule of iptables-nft (nat): ${FLOATING}`);
  await toWarn('plain');
  expect(await client.connect(ROUTED[4], 8080)).toContain(CLIENT[4]);

  const shown = await home.run('forward', 'show', '--socket', home.socket, 'floating');
  expect(shown.stdout).toMatch(/^warning: +shadows a rule of iptables-nft \(nat\): -A neutron-l3-agent-PREROUTING/m);
  const { stdout } = await home.run('status', '--socket', home.socket);
  expect(stdout).toMatch(/^forwards_with_warnings: +1;/m);
  const wide = (await home.run('forward', 'list', '-o', 'wide', '--socket', home.socket)).stdout;
  expect(wide).toMatch(/ WARNINGS .*\n/);
});

test('the warning goes when that rule goes', async () => {
  await runIn(network.router, 'iptables-nft-restore', ['--noflush'], AGENTS(METADATA));
  await toWarn('floating');
});

test('a rule that takes the packets of a forward is named, also where no event tells of it', async () => {
  await toWarn('plain');
  const drop = `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport 8080 -j DROP`;
  await runIn(network.router, 'iptables-legacy-restore', [], `*raw\n${drop}\nCOMMIT\n`);
  await toWarn('plain', `shadowed by a rule of iptables-legacy (raw): ${drop}`);
  await expect(client.connect(GATEWAY[4], 8080)).rejects.toThrow('timeout');
  await runIn(network.router, 'iptables-legacy-restore', [], '*raw\nCOMMIT\n');
  await toWarn('plain');
});

test('a translation of nft that comes first is named, and one that comes later', async () => {
  await nft(
    network.router,
    `table ip own {
       chain early { type nat hook prerouting priority -150; tcp dport { 70, 8080-8090 } counter redirect to :1; }
       chain late { type nat hook prerouting priority -50; ip daddr ${GATEWAY[4]} meta mark 7 dnat to 10.20.0.9; }
     }`,
  );
  await toWarn(
    'plain',
    'shadowed by a rule of nft (ip own early): tcp dport { 70, 8080-8090 } counter redirect to :1',
    `shadows a rule of nft (ip own late): ip daddr ${GATEWAY[4]} meta mark 0x00000007 dnat to 10.20.0.9`,
  );
  await expect(client.connect(GATEWAY[4], 8080)).rejects.toThrow();
  await nft(network.router, 'delete table ip own');
  await toWarn('plain');
  expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
});

test('what is compared anew after a start, and after a change, needs no event', async () => {
  await runIn(network.router, 'iptables-nft-restore', ['--noflush'], AGENTS(FLOATING));
  await daemon.stop();
  daemon = await home.start();
  await toWarn('floating', `shadows a rule of iptables-nft (nat): ${FLOATING}`);
  await home.run('forward', 'set', '--socket', home.socket, 'floating', '--external', `${GATEWAY[4]}:8081`);
  await toWarn('floating');
  await home.run('forward', 'set', '--socket', home.socket, 'plain', '--external', `${ROUTED[4]}:8082`);
  await toWarn('plain', `shadows a rule of iptables-nft (nat): ${FLOATING}`);
});
