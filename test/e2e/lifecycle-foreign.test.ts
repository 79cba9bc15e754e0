import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChurn } from '../support/churn.ts';
import { CONFIG, type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { activeElements, elementsIn } from '../support/kernel-state.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

const OURS = 'edge-1';
/** One that a daemon would take with Neutron's patterns, and some that look like the pattern of this one. */
const FOREIGN = ['qrouter-7d9f5a1e-1c7b-4c0e-9a52-6f1f3d2b8e90', 'edge', 'my-edge-1', 'Edge-1', 'dhcp'];
const RULES = [
  [
    'iptables-nft',
    '-t',
    'nat',
    '-A',
    'PREROUTING',
    '-p',
    'tcp',
    '--dport',
    '5001',
    '-j',
    'DNAT',
    '--to',
    '10.0.0.9:80',
  ],
  ['ip6tables-nft', '-t', 'mangle', '-A', 'FORWARD', '-j', 'MARK', '--set-mark', '1'],
  ['nft', 'add table inet hatoba'],
  ['nft', 'add chain inet hatoba prerouting { type nat hook prerouting priority -110; }'],
  ['nft', 'add counter inet hatoba theirs'],
] as const;
const LISTINGS = [
  ['nft', '-a', 'list', 'ruleset'],
  ['iptables-nft-save'],
  ['ip6tables-nft-save'],
  ['ip', '-details', 'address', 'show'],
  ['ip', 'route', 'show', 'table', 'all'],
] as const;

/** The listings of iptables say when they were made. */
const TIMES = /^# (?:Generated|Completed) .*$/gm;

let machine: Machine;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  machine = await bootMachine();
  home = await openDaemonHome(
    { neutron: false, routers: [{ namespace: 'edge-*', outside: ['qg-'], inside: ['qr-'] }] },
    machine,
  );
  for (const namespace of FOREIGN) await makeNamespace(namespace);
  for (const [program, ...args] of RULES) await machine.run(program, ...args);
});

afterAll(async () => {
  for (const opened of [home, machine]) await opened[Symbol.asyncDispose]();
});

/** With addresses as routers have them, and rules of somebody else. */
async function makeNamespace(namespace: string): Promise<void> {
  await machine.run('ip', 'netns', 'add', namespace);
  await machine.runIn(namespace, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(namespace, 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-1']);
  if (namespace === OURS) return;
  for (const [program, ...args] of RULES) await machine.runIn(namespace, program, args);
}

/** Everything that is to be seen of the namespaces that are not ours, the root namespace included. */
async function portrait(): Promise<string> {
  const parts: string[] = [];
  for (const [program, ...args] of LISTINGS) {
    parts.push(await machine.run(program, ...args));
    for (const namespace of FOREIGN) parts.push(`${namespace}:`, await machine.runIn(namespace, program, args));
  }
  return parts.join('\n').replaceAll(TIMES, '');
}

test('namespaces that are not ours stay as they are, byte for byte, whatever we do beside them', async () => {
  const before = await portrait();
  expect(before.match(/table inet hatoba/g)).toHaveLength(FOREIGN.length + 1);

  daemon = await home.start();
  // Forwards for routers that are none of ours do not make them ours.
  for (const router of [...FOREIGN, 'host']) {
    const fields = { router, external_port: 5001, internal_address: '10.20.0.11', external_address: '192.0.2.1' };
    expect((await home.client.createForward(fields, '0')).status.state).toBe('waiting');
  }
  const churn = startChurn(home.client, { name: 'c', router: OURS, firstPort: 20_000, wait: '0' });
  for (let time = 0; time < 3; time++) {
    await makeNamespace(OURS);
    await eventually(async () => expect(await elementsIn(OURS, machine.runIn)).not.toEqual([]));
    await machine.runIn(OURS, 'nft', ['flush', 'ruleset']);
    await machine.runIn(OURS, 'ip', ['address', 'replace', '192.0.2.2/24', 'dev', 'qg-1']);
    await machine.run('ip', 'netns', 'delete', OURS);
  }
  await daemon.kill();
  await churn.stop();
  await makeNamespace(OURS);
  daemon = await home.start();
  expect(await elementsIn(OURS, machine.runIn)).toEqual(await activeElements(home.client, OURS));
  expect(await elementsIn(OURS, machine.runIn)).not.toEqual([]);
  expect(await portrait()).toBe(before);
});

test('nor what others have in a router of ours', async () => {
  const rules = RULES.filter(([program]) => program !== 'nft');
  for (const [program, ...args] of rules) await machine.runIn(OURS, program, args);
  const theirs = async () => {
    const tables = ['ip nat', 'ip6 mangle'].map((table) => ['-a', 'list', 'table', ...table.split(' ')]);
    return (await Promise.all(tables.map((args) => machine.runIn(OURS, 'nft', args)))).join('\n');
  };
  const before = await theirs();
  await machine.runIn(OURS, 'nft', ['delete', 'table', 'inet', 'hatoba']);
  await eventually(async () => expect(await elementsIn(OURS, machine.runIn)).not.toEqual([]));
  await machine.runIn(OURS, 'nft', ['add', 'chain', 'inet', 'hatoba', 'foreign']);
  await eventually(async () => expect(await machine.runIn(OURS, 'nft', ['list', 'ruleset'])).not.toContain('foreign'));
  expect(await theirs()).toBe(before);
});

test('nor when everything of ours is removed', async () => {
  const before = await portrait();
  await daemon.stop();
  const { exit, stdout } = await home.run('cleanup', '--config', CONFIG);
  expect(exit).toBe(0);
  expect(stdout).toMatch(/ in edge-1\n$/);
  expect(await elementsIn(OURS, machine.runIn)).toEqual([]);
  expect(await portrait()).toBe(before);
});

test('the root namespace is a router where the operator says so, and only then', async () => {
  await using other = await bootMachine();
  for (const args of ['link add qg-1 type veth peer name far', 'address add 192.0.2.1/24 dev qg-1']) {
    await other.run('ip', ...args.split(' '));
  }
  await using host = await openDaemonHome({ neutron: false, host: { outside: ['qg-'], inside: [] } }, other);
  const hostDaemon = await host.start();
  const fields = { external_port: 5001, internal_address: '10.20.0.11', internal_port: 22 };
  const forward = await host.client.createForward(fields, '60');
  expect(forward).toMatchObject({ router: 'host', status: { state: 'active' } });
  const ruleset = () => other.run('nft', '--numeric', 'list', 'ruleset');
  const element = `192.0.2.1 . 6 . 5001 counter packets 0 bytes 0 comment "${forward.id}" : 10.20.0.11 . 22`;
  expect(await ruleset()).toContain(element);
  await other.run('nft', 'flush', 'ruleset');
  await eventually(async () => expect(await ruleset()).toContain(element));
  await other.run('ip', 'address', 'delete', '192.0.2.1/24', 'dev', 'qg-1');
  await other.run('ip', 'address', 'add', '192.0.2.9/24', 'dev', 'qg-1');
  await eventually(async () => expect(await ruleset()).toContain('192.0.2.9 . 6 . 5001'));
  await hostDaemon.stop();
  await host.run('cleanup', '--config', CONFIG);
  expect(await ruleset()).toBe('');
});
