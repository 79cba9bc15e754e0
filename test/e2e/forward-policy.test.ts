import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ForwardCreate, isDiagnosis } from '../../src/client/operations.ts';
import type { ConfigFile } from '../../src/daemon/config-schema.ts';
import { DOCKER, firewalld, OLD_DOCKER } from '../kernel/rulesets/firewalls.ts';
import { run } from '../support/command.ts';
import { CONFIG, type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { bootMachine, type Machine } from '../support/machine.ts';
import { openPeer, type Peer } from '../support/peer.ts';

/** The interfaces are called as in the rulesets. */
const [OUTSIDE, INSIDE] = ['qg-outside', 'qr-inside'];
const [GATEWAY, CLIENT, TARGET] = ['198.51.100.1', '198.51.100.5', '10.20.0.11'];
const CLOSED: ConfigFile = { neutron: false, host: { outside: ['qg-'], inside: ['qr-'] } };
const OPEN: ConfigFile = { ...CLOSED, host: { outside: ['qg-'], inside: ['qr-'], open_forward_policy: true } };

let machine: Machine;
let client: Peer;
let target: Peer;

/** client – host – target; what the host is asked for goes on by TCP port 80 and UDP ports 50 to 59. */
beforeAll(async () => {
  machine = await bootMachine();
  await machine.run('sysctl', '--quiet', '--write', 'net.ipv4.ip_forward=1');
  for (const [namespace, link, near, far] of [
    ['client', OUTSIDE, GATEWAY, CLIENT],
    ['target', INSIDE, '10.20.0.1', TARGET],
  ] as const) {
    await machine.run('ip', 'netns', 'add', namespace);
    await ip(`link add ${link} type veth peer name eth0 netns ${namespace}`);
    await ip(`address add ${near}/24 dev ${link}`);
    await ip(`link set ${link} up`);
    await ip(`-netns ${namespace} address add ${far}/24 dev eth0`);
    await ip(`-netns ${namespace} link set eth0 up`);
    await ip(`-netns ${namespace} route add default via ${near}`);
  }
  client = await openPeer('client', machine.path('/run/netns'));
  target = await openPeer('target', machine.path('/run/netns'));
  await target.serveTcp(8080);
  await target.serveUdp(53, TARGET);
});

afterAll(async () => {
  for (const opened of [client, target, machine]) await opened?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  for (const program of ['iptables-nft', 'iptables-legacy']) await restore(program, '*filter\nCOMMIT\n');
  await machine.run('nft', 'flush ruleset');
});

async function ip(line: string): Promise<void> {
  await machine.run('ip', ...line.split(' '));
}

/** In place of what there was. */
async function restore(program: string, text: string): Promise<void> {
  const [first, ...rest] = [...machine.within, `${program}-restore`];
  await run(first, rest, text);
}

async function nft(script: string): Promise<void> {
  const [first, ...rest] = [...machine.within, 'nft', '-f', '-'];
  await run(first, rest, script);
}

const filter = (program: string) => machine.run(`${program}-save`, '-t', 'filter');

interface Running extends AsyncDisposable {
  readonly home: DaemonHome;
  readonly daemon: Daemon;
}

async function start(settings: ConfigFile): Promise<Running> {
  const home = await openDaemonHome(settings, machine);
  const daemon = await home.start();
  const add = (fields: Omit<ForwardCreate, 'internal_address'>) =>
    home.client.createForward({ router: 'host', internal_address: TARGET, ...fields }, '60');
  await add({ name: 'web', external_port: 80, internal_port: 8080 });
  await add({ name: 'dns', protocol: 'udp', external_port: '50-59', internal_port: 53 });
  return { home, daemon, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

async function doctor(home: DaemonHome, ...words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await home.run('doctor', ...words, '-o', 'json', '--socket', home.socket);
  const document: unknown = JSON.parse(stdout);
  if (!isDiagnosis(document)) throw new Error(stdout);
  const ways = new Set(['reply_route_missing', 'outside_missing']);
  return document.findings.filter(({ level, code }) => level !== 'ok' && !ways.has(code)).map(({ code }) => code);
}

const passes = () =>
  client.connect(GATEWAY, 80, 500).then(
    (greeting) => greeting.startsWith(`${CLIENT} `),
    () => false,
  );
const passesUdp = () =>
  client.ask(GATEWAY, 55, { patience: 500 }).then(
    (greeting) => greeting.startsWith(`${CLIENT} `),
    () => false,
  );

describe.each([
  ['Docker’s rules of now', 'iptables-nft', DOCKER],
  ['Docker’s rules of then', 'iptables-legacy', OLD_DOCKER],
])('%s, by %s', (_, program, rules) => {
  test('are named, and left alone without a permission', async () => {
    await restore(program, rules);
    const before = await filter(program);
    await using running = await start(CLOSED);
    expect([await passes(), await passesUdp()]).toEqual([false, false]);
    expect(await doctor(running.home, 'web')).toEqual(['docker_drops', 'docker_drops']);
    expect(await doctor(running.home)).toEqual(['docker_drops', 'docker_drops']);
    expect(withoutTimes(await filter(program))).toBe(withoutTimes(before));
  });

  test('are opened with one, for what is translated and nothing else', async () => {
    await restore(program, rules);
    const before = await filter(program);
    await using running = await start(OPEN);
    const { home } = running;
    expect([await passes(), await passesUdp()]).toEqual([true, true]);
    expect(await doctor(home, 'web')).toEqual([]);
    // The client knows the way to the target itself, and is let through to it by nobody.
    await expect(client.connect(TARGET, 8080, 300)).rejects.toThrow('timeout');
    expect(await filter(program)).toContain(
      '-A hatoba-forward -m conntrack --ctstate DNAT --ctproto 6 --ctorigdst 198.51.100.1 --ctorigdstport 80 -j ACCEPT',
    );

    await home.client.updateForward('web', { external_port: 81 }, '60');
    expect(await filter(program)).not.toContain('--ctorigdstport 80 ');
    expect((await client.connect(GATEWAY, 81)).startsWith(CLIENT)).toBe(true);
    await home.client.updateForward('web', { external_port: 80 }, '60');

    // A restart writes nothing, and interrupts nothing.
    const { id } = await client.open(GATEWAY, 80);
    const opened = withoutTimes(await filter(program));
    expect((await running.daemon.stop()).exit).toBe(0);
    const again = await home.start();
    expect(withoutTimes(await filter(program))).toBe(opened);
    expect(await client.echo(id, 'still')).toBe('still');

    expect((await again.stop()).exit).toBe(0);
    expect((await home.run('cleanup', '--config', CONFIG)).exit).toBe(0);
    expect(withoutTimes(await filter(program))).toBe(withoutTimes(before));
  });
});

test('what somebody flushes comes back by itself', async () => {
  await restore('iptables-nft', DOCKER);
  await using _running = await start(OPEN);
  expect(await passes()).toBe(true);
  for (const chain of ['FORWARD', 'hatoba-forward']) await machine.run('iptables-nft', '-F', chain);
  await expect.poll(passes).toBe(true);
  await restore('iptables-nft', DOCKER);
  await expect.poll(passes).toBe(true);
});

test('where the policy is to accept nothing is added, and what was is taken out', async () => {
  await restore('iptables-nft', DOCKER);
  await using _running = await start(OPEN);
  expect(await filter('iptables-nft')).toContain('hatoba-forward');
  await machine.run('iptables-nft', '-P', 'FORWARD', 'ACCEPT');
  await expect.poll(() => filter('iptables-nft')).not.toContain('hatoba');
  expect(await passes()).toBe(true);
});

test('a permission that is taken back takes the rules along', async () => {
  await restore('iptables-nft', DOCKER);
  const before = withoutTimes(await filter('iptables-nft'));
  await using running = await start(OPEN);
  expect((await running.daemon.stop()).exit).toBe(0);
  expect(await filter('iptables-nft')).toContain('hatoba-forward');
  await using _closed = await start({ ...CLOSED, host: { ...OPEN.host, open_forward_policy: false } });
  expect(withoutTimes(await filter('iptables-nft'))).toBe(before);
});

test('a rule that drops is not overruled', async () => {
  await restore('iptables-nft', `*filter\n:FORWARD DROP [0:0]\n-A FORWARD -d ${TARGET}/32 -j DROP\nCOMMIT\n`);
  await using running = await start(OPEN);
  expect(await passes()).toBe(false);
  expect(await doctor(running.home, 'web')).toEqual(['rule_drops']);
});

test('firewalld’s rules are named where they drop, and not opened', async () => {
  await nft(firewalld(true));
  const rules = await machine.run('nft', 'list', 'table', 'inet', 'firewalld');
  await using running = await start(OPEN);
  expect(await passes()).toBe(false);
  expect(await doctor(running.home, 'web')).toEqual(['firewalld_drops']);
  const { stdout } = await running.home.run('doctor', 'web', '--socket', running.home.socket);
  expect(stdout).toContain('destination address="10.20.0.11" port port="8080" protocol="tcp" accept');
  expect(await machine.run('nft', 'list', 'table', 'inet', 'firewalld')).toBe(rules);
  await nft(`delete table inet firewalld\n${firewalld(false)}`);
  expect(await passes()).toBe(true);
  expect(await doctor(running.home, 'web')).toEqual([]);
});

/** Times, and how many packets have come by. */
function withoutTimes(saved: string): string {
  return saved.replaceAll(/^# .*$/gm, '').replaceAll(/\[\d+:\d+\]/g, '');
}
