import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hooksOf } from '../../src/interchange/rule-hooks.ts';
import { createTakers, packetsOf } from '../../src/interchange/rule-takers.ts';
import type { IptablesDump } from '../../src/interchange/rule-texts.ts';
import { parseAddress } from '../../src/model/address.ts';
import { parseCidr } from '../../src/model/cidr.ts';
import { parsePortRange } from '../../src/model/port-range.ts';
import { decide, type Packet, type PlainChains, plainChains, printChains } from './plain-rules.ts';

function dump(text: string): IptablesDump {
  return { variant: 'legacy', family: 4, program: 'iptables-legacy', text };
}

/** The rules that take packets for 203.0.113.1, each with how many. */
function takings(text: string, protocol: 'tcp' | 'udp', ports: string, ...sources: readonly string[]) {
  const packets = packetsOf({
    protocol,
    external: parseAddress('203.0.113.1'),
    externalPorts: parsePortRange(ports),
    sources: sources.map(parseCidr),
  });
  return createTakers(hooksOf({ dumps: [dump(text)], nft: null }))
    .of(packets)
    .map(({ hook, visit, isWhole }) => `${isWhole ? 'all' : 'some'} by ${hook.name}: ${visit.rule.text}`);
}

const NAT = (...rules: readonly string[]) => ['*nat', ':PREROUTING ACCEPT [0:0]', ...rules, 'COMMIT'].join('\n');

describe('what takes packets', () => {
  test.each([
    ['the same port', '-d 203.0.113.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5', 'all'],
    ['any port of the address', '-d 203.0.113.1/32 -j DNAT --to-destination 10.0.0.5', 'all'],
    ['any address', '-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080', 'all'],
    ['some sources', '-s 198.51.100.0/24 -d 203.0.113.1/32 -p tcp -j DNAT --to-destination 10.0.0.5', 'some'],
    ['a condition', '-d 203.0.113.1/32 -i qr-+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9697', 'some'],
    ['another port', '-d 203.0.113.1/32 -p tcp -m tcp --dport 81 -j DNAT --to-destination 10.0.0.5', null],
    ['another protocol', '-d 203.0.113.1/32 -p udp -m udp --dport 80 -j DNAT --to-destination 10.0.0.5', null],
    ['another address', '-d 203.0.113.2/32 -j DNAT --to-destination 10.0.0.5', null],
    ['nothing but a count', '-d 203.0.113.1/32 -p tcp', null],
    ['an end without translation', '-d 203.0.113.1/32 -p tcp -j ACCEPT', null],
  ])('%s', (_, rule, expected) => {
    const text = `-A PREROUTING ${rule}`;
    expect(takings(NAT(text), 'tcp', '80')).toEqual(
      expected === null ? [] : [`${expected} by iptables-legacy (nat): ${text}`],
    );
  });

  test('a rule behind one that takes all of them does not', () => {
    const [first, second] = ['5', '6'].map(
      (host) => `-A PREROUTING -d 203.0.113.1/32 -p tcp -j DNAT --to-destination 10.0.0.${host}`,
    );
    expect(takings(NAT(first ?? '', second ?? ''), 'tcp', '1-100')).toEqual([`all by iptables-legacy (nat): ${first}`]);
    const some = first?.replace('-p tcp', '-p tcp -m tcp --dport 1:50') ?? '';
    expect(takings(NAT(some, second ?? ''), 'tcp', '1-100')).toEqual([
      `some by iptables-legacy (nat): ${some}`,
      `some by iptables-legacy (nat): ${second}`,
    ]);
  });

  test('rules of other tables that end a packet, or keep it from being tracked', () => {
    const rules = [
      '-A PREROUTING -p tcp -j DROP',
      '-A PREROUTING -p udp -j CT --notrack',
      '-A PREROUTING -j CT --zone 1',
    ];
    const text = ['*raw', ':PREROUTING ACCEPT', ...rules, 'COMMIT'].join('\n');
    expect(takings(text, 'tcp', '80')).toEqual([`all by iptables-legacy (raw): ${rules[0]}`]);
    expect(takings(text, 'udp', '80')).toEqual([`all by iptables-legacy (raw): ${rules[1]}`]);
  });
});

const ADDRESSES = [0, 1, 2, 3];
const PORTS = [1, 2, 3, 4, 5, 6];

function* packetsFor(protocol: string, ports: readonly number[]): Iterable<Packet> {
  for (const source of ADDRESSES) {
    for (const port of ports) {
      for (const marked of [false, true]) {
        for (const name of ['qg-1', 'qr-1']) {
          yield { protocol, source, destination: 1, port, marked, interface: name };
        }
      }
    }
  }
}

/** Whether addresses, ports and protocols tell all about the rules. */
function isPlain(chains: PlainChains): boolean {
  return Object.values(chains).every((rules) =>
    rules.every(({ marked, interface: name, target }) => !marked && name === null && target.kind !== 'XYZZY'),
  );
}

test('they are exactly the rules that an evaluation of every packet comes to', () => {
  const seen = { whole: 0, exact: 0, takings: 0 };
  fc.assert(
    fc.property(
      plainChains,
      fc.constantFrom('tcp' as const, 'udp' as const),
      fc.subarray(PORTS, { minLength: 1, maxLength: 1 }),
      fc.boolean(),
      (chains, protocol, [first = 1], isRange) => {
        const ports = PORTS.filter((port) => port === first || (isRange && port > first));
        const { text, lines } = printChains(chains);
        const decided = Array.from(packetsFor(protocol, ports), (packet) => decide(chains, packet));
        const takes = (rule: (typeof decided)[number]) =>
          rule?.target.kind === 'dnat' || rule?.target.kind === 'REDIRECT';
        const wanted = new Set(decided.filter(takes));
        const packets = packetsOf({
          protocol,
          external: parseAddress('203.0.113.1'),
          externalPorts: parsePortRange(`${first}-${ports.at(-1)}`),
          sources: [parseCidr('198.51.100.0/30')],
        });
        const found = createTakers(hooksOf({ dumps: [dump(text)], nft: null })).of(packets);
        const rules = new Set(found.map(({ visit }) => lines.get(visit.rule.line) ?? null));
        for (const rule of wanted) expect(rules.has(rule), text).toBe(true);
        if (isPlain(chains))
          expect(
            [...rules].filter((rule) => !wanted.has(rule)),
            text,
          ).toEqual([]);
        for (const { visit, isWhole } of found) {
          if (!isWhole) continue;
          seen.whole++;
          expect(
            decided.every((rule) => rule === lines.get(visit.rule.line)),
            text,
          ).toBe(true);
        }
        seen.takings += found.length;
        if (isPlain(chains)) seen.exact++;
      },
    ),
    { numRuns: 500 },
  );
  expect(Math.min(seen.whole, seen.exact, seen.takings)).toBeGreaterThan(20);
});
