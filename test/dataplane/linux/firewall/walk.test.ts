import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bits,
  eitherBits,
  maskBits,
  raiseBits,
  UNKNOWN_BITS,
  xorBits,
} from '../../../../src/dataplane/linux/firewall/bits.ts';
import {
  bitsAre,
  every,
  exactly,
  isAmong,
  NO_MARK,
  not,
  type PassingPacket,
  some,
} from '../../../../src/dataplane/linux/firewall/passing-packet.ts';
import {
  type Action,
  type FilterChains,
  type FilterRule,
  walk,
} from '../../../../src/dataplane/linux/firewall/walk.ts';
import { parseAddress } from '../../../../src/model/address.ts';

/** Three clients, of which only the kernel knows which one it is. */
const CLIENTS = [0n, 1n, 2n] as const;
const CHAINS = ['first', 'second', 'third'] as const;
const POLICIES = ['accept', 'drop'] as const;

function packetOf(clients: readonly bigint[]): PassingPacket {
  return {
    direction: 'request',
    family: 4,
    protocol: 'tcp',
    source: clients.flatMap(exactly),
    sourcePort: null,
    destination: [],
    destinationPort: 80,
    from: null,
    to: null,
    asked: { address: parseAddress('192.0.2.1'), port: 80 },
    mark: NO_MARK,
    tcpFlags: UNKNOWN_BITS,
    connection: null,
  };
}

interface PlainRule {
  readonly clients: readonly bigint[];
  readonly action: Action;
}

/** Chains lead to later ones only. */
const plainChains = fc.tuple(
  ...CHAINS.map((_, at) => {
    const further = CHAINS.slice(at + 1);
    const ends = fc.constantFrom<Action>({ kind: 'accept' }, { kind: 'drop' }, { kind: 'return' }, { kind: 'pass' });
    const calls = fc.record({
      kind: fc.constantFrom('jump' as const, 'goto' as const),
      chain: fc.constantFrom(...further, 'nowhere'),
    });
    const action: fc.Arbitrary<Action> = fc.oneof(ends, calls);
    return fc.array(fc.record({ clients: fc.subarray([...CLIENTS]), action }), { maxLength: 5 });
  }),
);

/** What the kernel does to the packet of one client. */
function decide(chains: readonly (readonly PlainRule[])[], client: bigint, policy: 'accept' | 'drop'): string {
  const run = (at: number): string | null => {
    for (const { clients, action } of chains[at] ?? []) {
      if (!clients.includes(client)) continue;
      if (action.kind === 'accept' || action.kind === 'drop') return action.kind;
      if (action.kind === 'return') return null;
      if (action.kind !== 'jump' && action.kind !== 'goto') continue;
      const verdict = run(CHAINS.map(String).indexOf(action.chain));
      if (verdict !== null || action.kind === 'goto') return verdict;
    }
    return null;
  };
  return run(0) ?? policy;
}

function chainsOf(plain: readonly (readonly PlainRule[])[]): FilterChains {
  return new Map(
    plain.map((rules, at) => [
      CHAINS[at] ?? '',
      rules.map(({ clients, action }, line) => ({
        text: `${CHAINS[at]} ${line}`,
        steps: [{ when: ({ source }: PassingPacket) => isAmong(source, clients.flatMap(exactly)) }, { do: action }],
      })),
    ]),
  );
}

test('what is said for certain is so for every packet that it may be', () => {
  const possible = fc.subarray([...CLIENTS], { minLength: 1 });
  fc.assert(
    fc.property(plainChains, possible, fc.constantFrom(...POLICIES), (plain, clients, policy) => {
      const { outcome } = walk(chainsOf(plain), 'first', policy, packetOf(clients));
      const verdicts = new Set(clients.map((client) => decide(plain, client, policy)));
      if (outcome === 'unclear') expect(clients.length).toBeGreaterThan(1);
      else expect([...verdicts]).toEqual([outcome]);
    }),
    { numRuns: 2_000 },
  );
});

test('a way without end is unclear', () => {
  const loop: FilterRule = { text: 'a', steps: [{ do: { kind: 'jump', chain: 'first' } }] };
  expect(walk(new Map([['first', [loop]]]), 'first', 'accept', packetOf([0n]))).toMatchObject({ outcome: 'unclear' });
});

describe('a mark', () => {
  const bits = fc.integer({ min: 0, max: 15 });
  const mark: fc.Arbitrary<Bits> = fc.record({ value: bits, known: bits });
  /** All numbers of four bits that it may be. */
  const meant = ({ value, known }: Bits) =>
    Array.from({ length: 16 }, (_, number) => number).filter((number) => ((number ^ value) & known) === 0);

  test('is said to be what every number that it may be is', () => {
    fc.assert(
      fc.property(mark, bits, bits, (one, value, mask) => {
        const holds = new Set(meant(one).map((number) => ((number ^ value) & mask) === 0));
        const truth = bitsAre(one, value, mask);
        if (truth !== 'maybe') expect([...holds]).toEqual([truth === 'yes']);
        else expect(holds.size).toBe(2);
      }),
    );
  });

  test('changes as the numbers that it may be', () => {
    fc.assert(
      fc.property(mark, mark, bits, (one, other, mask) => {
        for (const number of meant(one)) {
          expect(meant(maskBits(one, mask))).toContain(number & mask);
          expect(meant(raiseBits(one, mask))).toContain(number | mask);
          for (const second of meant(other)) expect(meant(xorBits(one, other))).toContain(number ^ second);
          expect(meant(eitherBits(one, other))).toContain(number);
        }
      }),
    );
  });
});

test('three-valued logic', () => {
  expect([every([]), every(['yes', 'maybe']), every(['maybe', 'no'])]).toEqual(['yes', 'maybe', 'no']);
  expect([some([]), some(['no', 'maybe']), some(['maybe', 'yes'])]).toEqual(['no', 'maybe', 'yes']);
  expect((['yes', 'no', 'maybe'] as const).map(not)).toEqual(['no', 'yes', 'maybe']);
});
