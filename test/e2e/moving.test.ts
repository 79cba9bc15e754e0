import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runIn } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

/** As somebody made them by hand, and kept them in a file for the next boot. */
const RULES = [
  '*nat',
  `-A PREROUTING -d ${GATEWAY[4]} -i ${OUTSIDE} -p tcp --dport 5001 -j DNAT --to ${INSTANCE[4]}:7001`,
  `-A PREROUTING -d ${GATEWAY[4]} -p tcp -m multiport --dports 5002,5003 -m comment --comment "two ports" -j DNAT --to ${INSTANCE[4]}:7001`,
  `-A PREROUTING -p tcp --dport 5004 -j DNAT --to ${INSTANCE[4]}:7001`,
  'COMMIT',
  '',
].join('\n');

let network: Network;
let client: Peer;
let instance: Peer;
let settings: Parameters<typeof openDaemonHome>[0];

beforeAll(async () => {
  network = await createNetwork();
  [client, instance] = await Promise.all([openPeer(network.client), openPeer(network.instance)]);
  await instance.serveTcp(7001);
  settings = { neutron: false, routers: [{ namespace: network.router, outside: [OUTSIDE], inside: [] }] };
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** Who the instance sees, for each port from outside that leads there. */
async function seen(): Promise<readonly string[]> {
  const answers = [5001, 5002, 5003].map(
    async (port) => (await client.connect(GATEWAY[4], port, 500)).split(' ')[0] ?? '',
  );
  return Promise.all(answers);
}

const ALL = [CLIENT[4], CLIENT[4], CLIENT[4]];

function hatoba(home: DaemonHome, ...words: readonly string[]) {
  return home.run(...words, '--socket', home.socket);
}

test('from rules made by hand to forwards, to another daemon, and back to rules', async () => {
  await using home = await openDaemonHome(settings);
  await runIn(network.router, 'iptables-restore', [], RULES);
  expect(await seen()).toEqual(ALL);
  const dump = join(home.directory, network.router);
  await writeFile(dump, await runIn(network.router, 'iptables-save', ['-c']));

  const daemon = await home.start();
  const flags = ['--outside', 'qg-', '--follow-gateway'];
  const dry = await hatoba(home, 'import', dump, '--dry-run', ...flags);
  expect(dry.stdout).toContain('dry run: 3 to create');
  expect(await home.client.listForwards({})).toEqual([]);
  const imported = await hatoba(home, 'import', dump, ...flags);
  expect(imported.stdout).toContain('3 created');
  expect(imported.stdout).toContain(': it is for every address (no -d), a forward for one\n');
  expect(imported).toMatchObject({ exit: 1, stderr: expect.stringContaining('1 of 3 DNAT rules were not taken over') });

  // Now without the rules that were made by hand.
  await runIn(network.router, 'iptables', ['-t', 'nat', '-F']);
  expect(await seen()).toEqual(ALL);
  expect(
    (await home.client.listForwards({ state: 'active' })).map((one) => [
      one.external_address,
      one.external_port,
      one.description,
    ]),
  ).toEqual([
    ['gateway', '5001', null],
    ['gateway', '5002', 'two ports'],
    ['gateway', '5003', 'two ports'],
  ]);

  const before = await home.client.getBackup();
  const [backup, yaml, rules] = await Promise.all([
    hatoba(home, 'backup'),
    hatoba(home, 'export'),
    hatoba(home, 'export', '--format', 'iptables'),
  ]);
  await daemon.stop();

  await using other = await openDaemonHome(settings);
  await other.start();
  const file = join(other.directory, 'forwards.yaml');
  await writeFile(file, yaml.stdout);
  expect(await hatoba(other, 'apply', '-f', file)).toMatchObject({ exit: 0, stderr: '' });
  expect(await seen()).toEqual(ALL);
  expect((await hatoba(other, 'export')).stdout).toBe(yaml.stdout);

  // The ids of the backup, and not those of the file.
  expect((await other.client.getBackup()).forwards).not.toEqual(before.forwards);
  await other.client.restore(JSON.parse(backup.stdout), true, '60');
  expect((await other.client.getBackup()).forwards).toEqual(before.forwards);
  expect(await seen()).toEqual(ALL);

  // Rules again, and no hatoba.
  await other.client.apply({ forwards: [], prune: 'all' }, '60');
  await eventually(async () =>
    expect(await client.connect(GATEWAY[4], 5001, 200).catch(String)).toMatch(/ECONNREFUSED/),
  );
  await runIn(network.router, 'iptables-restore', ['--noflush'], rules.stdout);
  expect(await seen()).toEqual(ALL);
});
