import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { FindingCode } from '../../src/model/finding-catalogue.ts';
import { diagnosePassages } from '../../src/program/diagnosis/rule.ts';
import { diagnoseWay } from '../../src/program/diagnosis/way.ts';
import type { Rule } from '../../src/program/rule.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';
import { addSecondOutside, SECOND, SECOND_CLIENT, SECOND_GATEWAY, SECOND_SERVER } from './second-outside.ts';

/** In ms: what does not come by then was dropped; and, for what comes, time enough on a machine under load. */
const [SHORT, LONG] = [300, 30_000];

const FIRST = ruleOf(1, 'tcp', [GATEWAY[4], 80], [INSTANCE[4], 8080], `${CLIENT[4]}/32`);
const BY_SECOND = ruleOf(2, 'tcp', [SECOND_GATEWAY, 80], [INSTANCE[4], 8080], `${SECOND_CLIENT}/32`);
const LOCAL = ruleOf(3, 'tcp', [GATEWAY[4], 81], ['10.20.0.1', 8080], `${CLIENT[4]}/32`);
const OUTSIDE_TARGET = ruleOf(4, 'tcp', [SECOND_GATEWAY, 82], [SECOND_SERVER, 8080], `${SECOND_CLIENT}/32`);

let network: Network;
let linux: Started;
let peers: readonly Peer[];

beforeAll(async () => {
  network = await createNetwork();
  const second = await addSecondOutside(network);
  linux = await startLinux(network.namespaces.prefix);
  const { client, router, instance } = network;
  peers = await Promise.all([client, second.client, instance, router, second.server].map((name) => openPeer(name)));
  for (const server of peers.slice(2)) await server.serveTcp(8080);
  await linux.dataplane.synchronise(router, programOf([FIRST, BY_SECOND, LOCAL, OUTSIDE_TARGET]));
});

afterAll(async () => {
  for (const peer of peers ?? []) await peer[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

async function connects({ external, externalPorts, sources }: Rule, patience: number): Promise<boolean> {
  const peer = peers[sources[0]?.text.startsWith('100.') === true ? 1 : 0];
  try {
    await peer?.open(external.text, externalPorts.first, patience);
    return true;
  } catch {
    return false;
  } finally {
    await peer?.reset();
  }
}

/** What is said of it, but for what is in order. */
async function wrong(rule: Rule): Promise<{ readonly codes: readonly FindingCode[]; readonly seen: string }> {
  const facts = await linux.dataplane.examine(network.router, [rule], false);
  const found = facts.rules.get(rule.forward);
  if (found === undefined) throw new Error('nothing was found out');
  const subject = { router: network.router, instance: network.router, forward: rule.forward };
  const findings = [...diagnoseWay(subject, found, facts), ...diagnosePassages(subject, found, facts)];
  const shown = findings.filter(({ level, code }) => level !== 'ok' || code === 'firewall_passed');
  return { codes: shown.map(({ code }) => code), seen: shown.map(({ seen }) => seen).join('\n') };
}

/** Until the test is over. */
async function meanwhile(line: string, undo: string): Promise<void> {
  onTestFinished(() => ip(network.router, undo));
  await ip(network.router, line);
}

async function sysctl(setting: string, value: number, before: number): Promise<void> {
  const write = (to: number) => runIn(network.router, 'sysctl', ['--quiet', '--write', `${setting}=${to}`]);
  onTestFinished(async () => {
    await write(before);
  });
  await write(value);
}

async function iptables(table: string, ...rules: readonly string[]): Promise<void> {
  const restore = (lines: readonly string[]) =>
    runIn(network.router, 'iptables-nft-restore', [], `*${table}\n${lines.join('\n')}\nCOMMIT\n`);
  onTestFinished(async () => {
    await restore(table === 'filter' ? ['INPUT', 'FORWARD', 'OUTPUT'].map((chain) => `:${chain} ACCEPT [0:0]`) : []);
  });
  await restore(rules);
}

test('all get through', async () => {
  for (const rule of [FIRST, BY_SECOND, LOCAL]) {
    expect(await connects(rule, LONG)).toBe(true);
    expect((await wrong(rule)).codes).toEqual(['firewall_passed']);
  }
});

test('the interface outside is that of the forward’s address', async () => {
  await iptables('filter', `-A FORWARD -i ${SECOND} -j DROP`);
  expect(await connects(FIRST, LONG)).toBe(true);
  expect((await wrong(FIRST)).codes).toEqual(['firewall_passed']);
  expect(await connects(BY_SECOND, SHORT)).toBe(false);
  expect(await wrong(BY_SECOND)).toMatchObject({
    codes: ['rule_drops'],
    seen: expect.stringContaining(`-A FORWARD -i ${SECOND} -j DROP`),
  });
});

test('answers that leave by it are those that rules for it see', async () => {
  await iptables('filter', `-A FORWARD -o ${OUTSIDE} -j DROP`);
  expect(await connects(BY_SECOND, LONG)).toBe(true);
  expect((await wrong(BY_SECOND)).codes).toEqual(['firewall_passed']);
  expect(await connects(FIRST, SHORT)).toBe(false);
  expect((await wrong(FIRST)).seen).toContain(`the answers of ${INSTANCE[4]}:8080/tcp`);
});

test('answers leave by the other interface outside', async () => {
  await meanwhile(`route add ${SECOND_CLIENT}/32 via ${CLIENT[4]}`, `route delete ${SECOND_CLIENT}/32`);
  await sysctl(`net.ipv4.conf.${SECOND}.rp_filter`, 0, 0);
  await sysctl('net.ipv4.conf.all.rp_filter', 0, 0);
  expect(await connects(BY_SECOND, SHORT)).toBe(false);
  const { codes, seen } = await wrong(BY_SECOND);
  expect(codes).toContain('reply_route_astray');
  expect(seen).toContain(`leave by ${OUTSIDE}, through ${CLIENT[4]}, though the clients come in by ${SECOND}`);
  expect((await wrong(FIRST)).codes).toEqual(['firewall_passed']);
});

test('a strict reverse path filter drops what they answer', async () => {
  await meanwhile(`route add ${SECOND_CLIENT}/32 via ${CLIENT[4]}`, `route delete ${SECOND_CLIENT}/32`);
  await sysctl(`net.ipv4.conf.${SECOND}.rp_filter`, 1, 0);
  expect(await connects(BY_SECOND, SHORT)).toBe(false);
  expect((await wrong(BY_SECOND)).codes).toContain('reverse_path_filtered');
});

test.each([
  ['fwmark 0x1 lookup 77', 'from all fwmark 0x1 lookup 77'],
  [`from ${CLIENT[4]} lookup 77`, `from ${CLIENT[4]} lookup 77`],
  [`iif ${INSIDE} lookup 77`, `from all iif ${INSIDE} lookup 77`],
])('a rule for routing: %s', async (rule, quoted) => {
  await meanwhile(`rule add ${rule}`, `rule delete ${rule}`);
  const { codes, seen } = await wrong(FIRST);
  expect(codes).toEqual(['routing_unclear']);
  expect(seen).toContain(quoted);
});

test('a target on the router itself needs no forwarding, and passes no rule for it', async () => {
  await sysctl('net.ipv4.ip_forward', 0, 1);
  await iptables('filter', ':FORWARD DROP [0:0]');
  expect(await connects(LOCAL, LONG)).toBe(true);
  expect((await wrong(LOCAL)).codes).toEqual(['firewall_passed']);
});

test.each([
  ['INPUT', '-p tcp -m tcp --dport 8080', `packets to 10.20.0.1:8080/tcp`],
  ['OUTPUT', '-p tcp -m tcp --sport 8080', `the answers of 10.20.0.1:8080/tcp`],
])('a target on the router itself, and %s', async (chain, match, quoted) => {
  await iptables('filter', `-A ${chain} ${match} -j DROP`);
  expect(await connects(FIRST, LONG)).toBe(true);
  expect((await wrong(FIRST)).codes).toEqual(['firewall_passed']);
  expect(await connects(LOCAL, SHORT)).toBe(false);
  const { codes, seen } = await wrong(LOCAL);
  expect(codes).toEqual(['rule_drops']);
  expect(seen).toContain(`filter ${chain} drops ${quoted}`);
});

test('the answers of a target in the network outside go past the router, unless others translate its clients', async () => {
  expect(await connects(OUTSIDE_TARGET, SHORT)).toBe(false);
  expect((await wrong(OUTSIDE_TARGET)).codes).toContain('answer_bypasses_router');
  await iptables('nat', `-A POSTROUTING -d ${SECOND_SERVER}/32 -j MASQUERADE`);
  expect(await connects(OUTSIDE_TARGET, LONG)).toBe(true);
  expect((await wrong(OUTSIDE_TARGET)).codes).not.toContain('answer_bypasses_router');
});
