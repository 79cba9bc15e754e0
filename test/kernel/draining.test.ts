import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { diff } from '../../src/program/diff.ts';
import type { Program, Rule } from '../../src/program/rule.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { programsOf } from './iptables-listing.ts';
import { PLACES, type Place, type Started, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const EVERYWHERE = PLACES.flatMap((place) => FAMILIES.map((family) => [place, family] as const));

let network: Network;
let linux: Started | undefined;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  for (const port of [22, 23, 5005, 7005]) await instance.serveTcp(port);
  for (const family of FAMILIES) for (const port of [22, 23]) await instance.serveUdp(port, INSTANCE[family]);
});

afterAll(async () => {
  for (const opened of [client, instance, linux, network]) await opened?.[Symbol.asyncDispose]();
});

/** From here on forwards are programmed by this. */
async function programBy(place: Place): Promise<void> {
  await linux?.[Symbol.asyncDispose]();
  linux = await startLinuxAt(network.namespaces.prefix, place);
}

describe.each(EVERYWHERE)('by %s, by IPv%i', (place, family) => {
  beforeAll(() => programBy(place));

  const [gateway, target] = [GATEWAY[family], INSTANCE[family]];
  const other = ruleOf(100, 'tcp', [gateway, 6001], [target, 22]);
  const tcp = ruleOf(1, 'tcp', [gateway, 5001], [target, 22]);
  const udp = ruleOf(2, 'udp', [gateway, 5001], [target, 22]);
  let present: Program;

  beforeEach(async () => {
    await linux?.dataplane.clean(network.router);
    present = new Map();
    await change([other, tcp, udp]);
  });

  async function change(rules: readonly Rule[], ...draining: readonly Rule[]): Promise<void> {
    const next = programOf(rules);
    await linux?.dataplane.apply(network.router, diff(present, next), idsOf(draining));
    present = next;
  }

  test('running flows go on, new ones are refused, others notice nothing', async () => {
    const localPort = ++lastPort;
    const [{ id }, { id: unrelated }] = [await client.open(gateway, 5001), await client.open(gateway, 6001)];
    await client.ask(gateway, 5001, { localPort });
    await change([other], tcp, udp);
    for (const word of ['once', 'again']) {
      expect(await client.echo(id, word)).toBe(word);
      expect(await client.ask(gateway, 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
      expect(await client.echo(unrelated, word)).toBe(word);
      await expect(client.open(gateway, 5001)).rejects.toThrow('ECONNREFUSED');
      await expect(client.ask(gateway, 5001, { localPort: ++lastPort, patience: 200 })).rejects.toThrow('timeout');
      await client.connect(gateway, 6001);
    }
  });

  test('the last one there is', async () => {
    const { id } = await client.open(gateway, 5001);
    await change([]);
    await change([tcp]);
    const { id: second } = await client.open(gateway, 5001);
    await change([], tcp);
    await expect(client.echo(id, 'ended', 300)).rejects.toThrow();
    expect(await client.echo(second, 'drains')).toBe('drains');
  });

  test('one of two that are removed at once', async () => {
    const localPort = ++lastPort;
    const { id } = await client.open(gateway, 5001);
    await client.ask(gateway, 5001, { localPort });
    await change([other], udp);
    await expect(client.echo(id, 'ended', 300)).rejects.toThrow();
    expect(await client.ask(gateway, 5001, { localPort })).toBe(`${CLIENT[family]} ${localPort}`);
  });

  test.each([
    ['kept', '5000-5009'],
    ['shifted', '7000-7009'],
    ['to one port', '22'],
  ])('a range, %s', async (_, internal) => {
    const range = ruleOf(3, 'tcp', [gateway, '5000-5009'], [target, internal]);
    await change([other, range]);
    const { id } = await client.open(gateway, 5005);
    await change([other], range);
    expect(await client.echo(id, 'on')).toBe('on');
    await expect(client.open(gateway, 5005)).rejects.toThrow('ECONNREFUSED');
  });

  test.each([
    ['later', true],
    ['in the same step', false],
  ])('another forward takes its place %s: what drains goes on, new flows go to the new target', async (_, later) => {
    const [before, after] = [++lastPort, ++lastPort];
    const { id } = await client.open(gateway, 5001);
    await client.ask(gateway, 5001, { localPort: before });
    if (later) await change([other], tcp, udp);
    const successors = [
      ruleOf(11, 'tcp', [gateway, 5001], [target, 23]),
      ruleOf(12, 'udp', [gateway, 5001], [target, 23]),
    ];
    await change([other, ...successors], tcp, udp);
    const { id: newer } = await client.open(gateway, 5001);
    await client.ask(gateway, 5001, { localPort: after });
    expect(await client.echo(id, 'drains')).toBe('drains');
    await change([other]);
    await expect(client.echo(newer, 'ended', 300)).rejects.toThrow();
    await expect(client.ask(gateway, 5001, { localPort: after, patience: 200 })).rejects.toThrow('timeout');
    expect(await client.echo(id, 'still')).toBe('still');
    expect(await client.ask(gateway, 5001, { localPort: before })).toBe(`${CLIENT[family]} ${before}`);
  });

  test('what drains ends when the same forward is made again and removed', async () => {
    const { id } = await client.open(gateway, 5001);
    await change([other], tcp);
    const again = ruleOf(21, 'tcp', [gateway, 5001], [target, 22]);
    await change([other, again]);
    expect(await client.echo(id, 'drains')).toBe('drains');
    await change([other]);
    await expect(client.echo(id, 'ended', 300)).rejects.toThrow();
  });

  const wholeTable = [['is replaced as a whole', 'add rule inet hatoba prerouting counter']] as const;
  test.each([['is compared with what is wanted', ''], ...(place === 'nftables' ? wholeTable : [])] as const)(
    'the table %s, as after a restart',
    async (_, damage) => {
      const [{ id }, { id: unrelated }] = [await client.open(gateway, 5001), await client.open(gateway, 6001)];
      if (damage !== '') await nft(network.router, damage);
      const farewell = { draining: idsOf([tcp]), gone: [] };
      await linux?.dataplane.synchronise(network.router, programOf([other]), farewell);
      for (const each of [id, unrelated]) expect(await client.echo(each, 'on')).toBe('on');
      await expect(client.open(gateway, 5001)).rejects.toThrow('ECONNREFUSED');
    },
  );

  test.each([
    ['and others', [other]],
    ['and nothing else', []],
  ])('the kernel had lost it %s: it drains or ends all the same', async (_, kept) => {
    await client.open(gateway, 5001);
    await client.ask(gateway, 5001, { localPort: ++lastPort });
    await lose(place);
    const farewell = { draining: idsOf([tcp]), gone: [tcp, udp] };
    await linux?.dataplane.synchronise(network.router, programOf(kept), farewell);
    // Without any nat chain no packet of theirs would get through.
    const flows = await runIn(network.router, 'conntrack', ['-L', '-f', `ipv${family}`]);
    expect(flows).toMatch(new RegExp(`^tcp .* ESTABLISHED .* dport=5001 src=${target} `, 'm'));
    expect(flows).not.toMatch(/^udp .* dport=5001 /m);
  });
});

test.each(PLACES)('by %s: the last one there is, where nothing is known of inner networks', async (place) => {
  await using outsideOnly = await startLinuxAt(network.namespaces.prefix, place, { inside: [] });
  const rule = ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22]);
  await outsideOnly.dataplane.synchronise(network.router, programOf([rule]));
  const { id } = await client.open(GATEWAY[4], 5001);
  await outsideOnly.dataplane.apply(network.router, diff(programOf([rule]), new Map()), idsOf([rule]));
  expect(await client.echo(id, 'drains')).toBe('drains');
  await outsideOnly.dataplane.clean(network.router);
});

/** As by somebody who flushes everything. */
async function lose(place: Place): Promise<void> {
  if (place === 'nftables') {
    await nft(network.router, 'flush ruleset');
    return;
  }
  for (const program of programsOf(place)) {
    for (const command of ['-F', '-X']) await runIn(network.router, program, ['-t', 'nat', command]);
  }
}

function idsOf(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.map(({ forward }) => forward));
}
