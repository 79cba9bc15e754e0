import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UDPLITE_BY_IPTABLES } from '../../src/dataplane/linux/capabilities.ts';
import { runIn } from '../support/command.ts';
import { CONFIG, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let home: DaemonHome;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  home = await openDaemonHome({
    neutron: false,
    routers: [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }],
  });
  await mkdir(join(home.directory, 'conf.d'));
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
});

async function choose(backend: string): Promise<void> {
  await writeFile(join(home.directory, 'conf.d/backend.yaml'), `backend: ${backend}\n`);
}

/** Our rules by either backend. */
async function ours() {
  const [tables, saved] = [
    await runIn(network.router, 'nft', ['list', 'tables']),
    await runIn(network.router, 'iptables-save', ['-t', 'nat']),
  ];
  return {
    nftables: tables.includes('table inet hatoba\n'),
    iptables: (saved.match(/^-A hatoba-prerouting .*-j DNAT/gm) ?? []).length,
  };
}

function forward(external_port: number, protocol = 'tcp') {
  return { router: network.router, protocol, external_port, internal_address: INSTANCE[4], internal_port: 22 };
}

test('restarted with the other backend, the daemon goes on where it was, there and back', async () => {
  const first = await home.start();
  await home.client.createForward(forward(5001), '60');
  const { id } = await client.open(GATEWAY[4], 5001);
  expect(await ours()).toEqual({ nftables: true, iptables: 0 });
  await first.stop();

  await choose('iptables');
  const second = await home.start();
  expect(await ours()).toEqual({ nftables: false, iptables: 1 });
  expect(await client.echo(id, 'still here')).toBe('still here');
  expect(await home.client.createForward(forward(5002), '60')).toMatchObject({ status: { state: 'active' } });
  expect(await home.client.createForward(forward(5003, 'udplite'), '60')).toMatchObject({
    status: { state: 'error', message: UDPLITE_BY_IPTABLES },
  });
  await client.connect(GATEWAY[4], 5002);
  await second.stop();

  await choose('nftables');
  const third = await home.start();
  expect(await ours()).toEqual({ nftables: true, iptables: 0 });
  expect(await client.echo(id, 'still here')).toBe('still here');
  await client.connect(GATEWAY[4], 5002);
  await third.stop();
  for (const daemon of [first, second, third]) expect(daemon.log.filter(({ level }) => level === 40)).toEqual([]);
});

test('by iptables, what others do is put right, and both ways of cleaning up take everything away', async () => {
  await choose('iptables');
  const daemon = await home.start();
  await runIn(network.router, 'iptables', ['-t', 'nat', '-F']);
  await eventually(() => client.connect(GATEWAY[4], 5001, 200));
  await daemon.stop();
  expect(await ours()).toEqual({ nftables: false, iptables: 2 });
  expect(await home.run('cleanup', '--config', CONFIG)).toMatchObject({ exit: 0, stderr: '' });
  expect(await ours()).toEqual({ nftables: false, iptables: 0 });
  const last = await home.start('--cleanup-on-exit');
  expect(await ours()).toEqual({ nftables: false, iptables: 2 });
  await last.stop();
  expect(await ours()).toEqual({ nftables: false, iptables: 0 });
});

test('`hatoba cleanup` also takes away what the backend has written that is configured no more', async () => {
  await choose('iptables');
  await (await home.start()).stop();
  await choose('nftables');
  expect(await home.run('cleanup', '--config', CONFIG)).toMatchObject({ exit: 0, stderr: '' });
  expect(await ours()).toEqual({ nftables: false, iptables: 0 });
});
