import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Counters } from '../../src/model/counters.ts';
import { printTime } from '../../src/model/time.ts';
import type { Rule } from '../../src/program/rule.ts';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';
import { listedRules } from './nft-listing.ts';

const FAMILIES = [4, 6] as const;
const DAY = 86_400_000;

let network: Network;
let linux: Started;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  for (const port of [22, 5005]) await instance.serveTcp(port);
});

afterAll(async () => {
  for (const opened of [client, instance, linux, network]) await opened[Symbol.asyncDispose]();
});

beforeEach(() => linux.dataplane.clean(network.router));

function until(rule: Rule, end: number): Rule {
  return { ...rule, expiresAt: printTime(end) };
}

/** Work that is done before its rules end; where the machine is too slow for that, once more with ends farther away. */
async function inTime(work: (end: number) => Promise<unknown>): Promise<number> {
  for (let life = 3_000; ; life *= 2) {
    const end = Date.now() + life;
    try {
      await work(end);
      if (Date.now() < end) return end;
    } catch (error) {
      if (Date.now() < end) throw error;
    }
  }
}

const count = async () => (await listedRules(network.router))?.length;

describe.each(FAMILIES)('by IPv%i, with nobody who looks at the clock', (family) => {
  const [gateway, target, own] = [GATEWAY[family], INSTANCE[family], CLIENT[family]];
  const lasting = ruleOf(1, 'tcp', [gateway, 5001], [target, 22]);
  const ending = [
    ruleOf(2, 'tcp', [gateway, 5002], [target, 22]),
    ruleOf(3, 'tcp', [gateway, 5003], [target, 22], own),
    ruleOf(4, 'tcp', [gateway, '5004-5006'], [target, '5004-5006']),
    ruleOf(5, 'tcp', [gateway, '5010-5012'], [target, '21-23']),
  ];
  const PORTS = [5002, 5003, 5005, 5011];

  test('rules end on time, those without an end stay, and what ends can be made anew', async () => {
    const end = await inTime(async (end) => {
      await linux.dataplane.clean(network.router);
      await linux.dataplane.synchronise(network.router, programOf([lasting]));
      await linux.dataplane.apply(network.router, { remove: [], add: ending.map((rule) => until(rule, end)) });
      for (const port of PORTS) expect(await client.connect(gateway, port)).toContain(own);
    });
    for (let rules = await count(); Date.now() < end; rules = await count()) expect(rules).toBeGreaterThan(1);
    await eventually(async () => expect(await count()).toBe(1));
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    for (const port of PORTS) await expect(client.connect(gateway, port)).rejects.toThrow('ECONNREFUSED');
    expect(await client.connect(gateway, 5001)).toContain(own);
    const late = { remove: ending.map((rule) => until(rule, end)), add: ending };
    await expect(linux.dataplane.apply(network.router, late)).rejects.toMatchObject({ code: 'kernel_refused' });
    await linux.dataplane.synchronise(network.router, programOf([lasting, ...ending]));
    for (const port of PORTS) expect(await client.connect(gateway, port)).toContain(own);
  });

  test('one that is renewed goes on, and on counting', async () => {
    const [rule = lasting] = ending;
    let known: Counters | undefined;
    const end = await inTime(async (end) => {
      await linux.dataplane.clean(network.router);
      await linux.dataplane.synchronise(network.router, programOf([lasting, until(rule, end)]));
      for (let round = 0; round < 3; round++) await client.connect(gateway, 5002);
      known = (await linux.dataplane.counters(network.router, null)).get(idOf(2));
      await linux.dataplane.apply(network.router, { remove: [until(rule, end)], add: [until(rule, end + DAY)] });
    });
    expect((await linux.dataplane.counters(network.router, null)).get(idOf(2))).toMatchObject({ connections: 3 });
    await sleep(end + 1_000 - Date.now());
    await client.connect(gateway, 5002);
    const after = (await linux.dataplane.counters(network.router, null)).get(idOf(2));
    expect(after).toMatchObject({ connections: 4 });
    expect(after?.in?.packets).toBeGreaterThan(known?.in?.packets ?? Infinity);
    await linux.dataplane.apply(network.router, { remove: [until(rule, end + DAY)], add: [rule] });
    expect((await linux.dataplane.counters(network.router, null)).get(idOf(2))).toMatchObject({ connections: 4 });
  });

  test('a start leaves ends alone that are right, and corrects the others', async () => {
    const end = Date.now() + DAY;
    const programs = [end, end + DAY, Date.UTC(9999, 11), null].map((time) =>
      programOf(ending.map((rule) => (time === null ? rule : until(rule, time)))),
    );
    const [first = programOf([])] = programs;
    await linux.dataplane.synchronise(network.router, first);
    for (const program of programs) {
      const isFirst = program === first;
      // Linux knows no end that far ahead: as if there were none.
      const isLast = program === programs.at(-1);
      const { corrections } = await linux.dataplane.synchronise(network.router, program);
      expect(corrections > 0).toBe(!isFirst && !isLast);
      expect(await linux.dataplane.synchronise(network.router, program)).toEqual({ corrections: 0 });
    }
  });
});
