import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlowRule } from '../../src/kernel/conntrack/stale-flows.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { addressValue, type Family, parseAddress } from '../../src/model/address.ts';
import { type AddressSpan, parseCidr } from '../../src/model/cidr.ts';
import type { PortRange } from '../../src/model/port-range.ts';
import { runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { processorTimeOf } from '../support/processor-time.ts';
import { openTestKernel } from './linux-under-test.ts';

/** What connection tracking is told that it has. Its source port is its own. */
interface MadeFlow {
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  /** `null`: it is not translated. */
  readonly target: readonly [address: string, port: number] | null;
}

const NUMBERS = { tcp: 6, udp: 17 } as const;
const OUTSIDE = {
  4: ['203.0.113.1', '203.0.113.2', '203.0.113.3'],
  6: ['2001:db8:113::1', '2001:db8:113::2', '2001:db8:113::3'],
} as const;
const SOURCES = { 4: ['198.51.100.5', '192.0.2.9'], 6: ['2001:db8:100::5', '2001:db8:99::9'] } as const;
const NETWORK = { 4: parseCidr('198.51.100.0/24'), 6: parseCidr('2001:db8:100::/64') } as const;
const INSIDE = { 4: ['10.20.0.11', '10.20.0.12'], 6: ['fd00:20::11', 'fd00:20::12'] } as const;
const PORTS = [53, 54, 55] as const;

let namespaces: Namespaces;
let namespace: string;
let directory: string;
let kernel: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  namespace = namespaces.name('flows');
  await namespaces.add(namespace);
  directory = await mkdtemp(join(tmpdir(), 'hatoba-flows-'));
  kernel = await openTestKernel();
  await kernel.attach(namespace);
  await runIn(namespace, 'conntrack', ['-L']);
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
  if (directory !== undefined) await rm(directory, { recursive: true });
});

async function track(flows: readonly MadeFlow[], firstPort = 1): Promise<void> {
  const file = join(directory, 'flows');
  await writeFile(file, flows.map((flow, index) => `${commandFor(flow, firstPort + index)}\n`).join(''));
  await runIn(namespace, 'conntrack', ['-R', file]);
}

function commandFor({ family, protocol, source, destination, port, target }: MadeFlow, sourcePort: number): string {
  const ends = `-s ${source} -d ${destination} --sport ${sourcePort} --dport ${port}`;
  const state = protocol === 'tcp' ? ' --state ESTABLISHED' : '';
  const to = target === null ? '' : ` --dst-nat ${family === 6 ? `[${target[0]}]` : target[0]}:${target[1]}`;
  return `-I -p ${protocol} ${ends} -t 600${state}${to}`;
}

/** By their source ports. */
async function tracked(): Promise<ReadonlySet<number>> {
  const lists = await Promise.all(
    ['ipv4', 'ipv6'].map((family) => runIn(namespace, 'conntrack', ['-L', '-f', family])),
  );
  return new Set(
    lists
      .flatMap((list) => list.split('\n'))
      .flatMap((line) => /sport=(\d+)/.exec(line)?.[1] ?? [])
      .map(Number),
  );
}

/** Single ports and a range that lead to one port; the range as it is, and to either side. */
const LED = [
  ...[one(53), one(54), { first: 53, last: 55 }].flatMap((ports) => PORTS.map((port) => [ports, one(port)] as const)),
  ...[52, 53, 54].map(
    (first) =>
      [
        { first: 53, last: 55 },
        { first, last: first + 2 },
      ] as const,
  ),
];

function one(port: number): PortRange {
  return { first: port, last: port };
}

const anyRule: fc.Arbitrary<FlowRule> = fc
  .constantFrom(4 as const, 6 as const)
  .chain((family) =>
    fc.record({
      protocol: fc.constantFrom(NUMBERS.tcp, NUMBERS.udp),
      destination: fc.constantFrom(...OUTSIDE[family].map(parseAddress)),
      source: fc.constantFrom<(AddressSpan | null)[]>(null, NETWORK[family]),
      target: fc.constantFrom(...INSIDE[family].map(parseAddress)),
      led: fc.constantFrom(...LED),
    }),
  )
  .map(({ led: [ports, targetPorts], ...rule }) => ({ ...rule, ports, targetPorts }));

/** Every flow that there can be among these addresses and ports. */
const EVERY_FLOW: readonly MadeFlow[] = ([4, 6] as const).flatMap((family) =>
  (['tcp', 'udp'] as const).flatMap((protocol) =>
    OUTSIDE[family].flatMap((destination) =>
      SOURCES[family].flatMap((source) =>
        PORTS.flatMap((port) =>
          [null, ...INSIDE[family].flatMap((to) => PORTS.map((toPort) => [to, toPort] as const))].map((target) => ({
            family,
            protocol,
            source,
            destination,
            port,
            target,
          })),
        ),
      ),
    ),
  ),
);

/** The rule of the house, flow by flow. */
function isLeftBehind(flow: MadeFlow, removed: readonly FlowRule[], added: readonly FlowRule[]): boolean {
  const about = (rules: readonly FlowRule[]) => rules.filter((rule) => isAbout(rule, flow));
  if (about(added).some((rule) => leads(rule, flow))) return false;
  const leader = about(removed).find((rule) => mayLead(rule, flow));
  if (leader !== undefined) return !about(added).some((rule) => mayLead(rule, flow) && shift(rule) === shift(leader));
  return flow.target === null && about(added).length > 0;
}

function isAbout({ protocol, destination, ports, source }: FlowRule, flow: MadeFlow): boolean {
  if (protocol !== NUMBERS[flow.protocol] || destination.text !== flow.destination) return false;
  if (flow.port < ports.first || ports.last < flow.port) return false;
  const value = addressValue(parseAddress(flow.source));
  return source === null || (source.first <= value && value <= source.last);
}

function leads({ ports, target, targetPorts }: FlowRule, flow: MadeFlow): boolean {
  if (flow.target?.[0] !== target.text) return false;
  const { first, last } = targetPorts;
  return flow.target[1] === first + (first === last ? 0 : flow.port - ports.first);
}

/** Linux takes another port of a range that is shifted, where the right one is in use by the same client. */
function mayLead(rule: FlowRule, flow: MadeFlow): boolean {
  const { first, last } = rule.targetPorts;
  if (first === last || shift(rule) === 0) return leads(rule, flow);
  return flow.target?.[0] === rule.target.text && first <= flow.target[1] && flow.target[1] <= last;
}

function shift({ ports, targetPorts }: FlowRule): number {
  return targetPorts.first - ports.first;
}

/** So many that each place is asked for on its own. */
const CROWD: readonly MadeFlow[] = Array.from({ length: 30_000 }, () => ({
  family: 4,
  protocol: 'udp',
  source: '192.0.2.77',
  destination: '203.0.113.99',
  port: 53,
  target: null,
}));

describe.each([
  ['a few others', []],
  ['a crowd of others', CROWD],
] as const)('beside %s', (_, others) => {
  test('exactly those flows end that a change leaves behind', async () => {
    const change = fc.record({
      removed: fc.array(anyRule, { minLength: 1, maxLength: 6 }),
      added: fc.array(anyRule, { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ removed, added }) => {
        await runIn(namespace, 'conntrack', ['--flush']);
        await track(EVERY_FLOW);
        await track(others, 10_000);
        const { count } = await kernel.endFlows(namespace, { removed, added });
        const stale = EVERY_FLOW.map((flow) => isLeftBehind(flow, removed, added));
        const left = await tracked();
        const wrong = EVERY_FLOW.filter((_flow, index) => left.has(index + 1) === stale[index]);
        expect(wrong).toEqual([]);
        expect(count).toBe(stale.filter(Boolean).length);
        expect([...left].filter((port) => port >= 10_000)).toHaveLength(others.length);
      }),
      { numRuns: 15 },
    );
  });
});

test.each([4, 6] as const)(
  'a thousand addresses of IPv%i that lose their forwards do not hold up the kernel’s thread',
  async (family) => {
    const outside = Array.from({ length: 1_000 }, (_, index) =>
      family === 4 ? `203.0.${index >> 8}.${index & 0xff}` : `2001:db8:113::${(index + 1).toString(16)}`,
    );
    const [source, inside] = [SOURCES[family][0], INSIDE[family][0]];
    const flow = { family, protocol: 'udp', source, port: 53, target: [inside, 53] } as const;
    await runIn(namespace, 'conntrack', ['--flush']);
    await track(outside.map((destination) => ({ ...flow, destination })));
    const removed = outside.map((text) => ({
      protocol: NUMBERS.udp,
      destination: parseAddress(text),
      ports: one(53),
      source: null,
      target: parseAddress(inside),
      targetPorts: one(53),
    }));
    const end = async (those: typeof removed) =>
      expect(await kernel.endFlows(namespace, { removed: those, added: [] })).toEqual({
        count: those.length,
        failure: null,
      });
    const ten = await processorTimeOf(async () => {
      for (const each of removed.slice(0, 10)) await end([each]);
    });
    const all = await processorTimeOf(() => end(removed.slice(10)));
    // Going through the kernel's table for each of them takes ninety-nine times as long.
    expect(all).toBeLessThan(50 * ten);
  },
);
