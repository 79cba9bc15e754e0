import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InsideInterface } from '../../../../src/dataplane/linux/inside-interfaces.ts';
import { correct, removal, type Script } from '../../../../src/dataplane/linux/iptables/correction.ts';
import { natRulesOf, printMasquerade, printRule } from '../../../../src/dataplane/linux/iptables/rules.ts';
import { NO_TABLE, readRule, readSaved, type SavedTable } from '../../../../src/dataplane/linux/iptables/saved.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { parseCidr } from '../../../../src/model/cidr.ts';
import { programs, ruleOf } from '../../../program/programs.ts';

const FAMILIES = [4, 6] as const;
const UNIVERSE = {
  protocols: ['tcp', 'udp', 'sctp', 'dccp'] as const,
  external: ['203.0.113.7', '203.0.113.8', '2001:db8::7', '2001:db8::8'].map(parseAddress),
  externalPorts: [1, 80, 65535, '1-3', '2-90', '1-65535'],
  internal: ['10.0.0.1', '10.0.0.2', 'fd00::1', '2001:db8:0:1:2:3:4:5'].map(parseAddress),
  internalPorts: [1, 22, 65535],
  sources: ['192.0.2.0/24', '198.51.100.7/32', '2001:db8:a::/48', '2001:db8:b::1/128'],
};
const INSIDE: readonly InsideInterface[] = [
  { name: 'qr-a', isBridge: false, networks: ['10.0.0.0/24', 'fd00::/64'].map((text) => parseCidr(text)) },
  { name: 'br-lan', isBridge: true, networks: ['10.1.0.0/16', '10.1.2.0/24'].map((text) => parseCidr(text)) },
  { name: 'qr-b', isBridge: false, networks: [] },
  { name: 'qr-"', isBridge: false, networks: [] },
  { name: 'qr-+', isBridge: false, networks: ['10.3.0.0/16'].map((text) => parseCidr(text)) },
];
const [OLD, NEW] = ['5.4.0-150-generic', '5.10.0-30-amd64'];

/** Lines of one chain, each with its counter. */
type Chains = ReadonlyMap<string, readonly string[]>;

const EMPTY: Chains = new Map(['PREROUTING', 'OUTPUT', 'POSTROUTING'].map((chain) => [chain, []]));

/** What iptables-restore makes of it; throws where it would refuse. */
function carriedOut(before: Chains, { lines }: Script): Chains {
  const chains = new Map([...before].map(([chain, rules]) => [chain, [...rules]]));
  const rulesOf = (chain: string) => {
    const rules = chains.get(chain);
    if (rules === undefined) throw new Error(`no chain ${chain}`);
    return rules;
  };
  const take = (rules: string[], which: string) => {
    const at = /^\d+$/.test(which) ? Number(which) - 1 : rules.indexOf(which);
    if (at < 0 || at >= rules.length) throw new Error(`no rule ${which}`);
    rules.splice(at, 1);
  };
  for (const line of lines) {
    const [, command = '', chain = '', rest = ''] = /^(:|-\w )(\S+) ?(.*)$/.exec(line) ?? [];
    if (command === ':') chains.set(chain, []);
    if (command === '-A ') rulesOf(chain).push(rest);
    if (command === '-I ') rulesOf(chain).unshift(rest.replace(/^1 /, ''));
    if (command === '-D ') take(rulesOf(chain), rest);
    if (command === '-F ') rulesOf(chain).splice(0);
    if (command === '-X ' && rulesOf(chain).length === 0) chains.delete(chain);
  }
  return chains;
}

function savedAs(chains: Chains): SavedTable {
  const rules = [...chains].flatMap(([chain, lines]) => lines.map((line) => `[3:180] -A ${chain} ${line}`));
  return readSaved(
    ['*nat', ...[...chains.keys()].map((chain) => `:${chain} - [0:0]`), ...rules, 'COMMIT', ''].join('\n'),
  );
}

const family = fc.constantFrom(...FAMILIES);
const inside = fc.subarray([...INSIDE]);
const STRANGE = [
  '-j ACCEPT',
  '-s 192.0.2.1/32 -j DNAT --to-destination 10.0.0.9',
  '-p tcp -m comment --comment "a b" -j RETURN',
  '! -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -m comment --comment 00000000-0000-4000-8000-000000000001 -j DNAT --to-destination 10.0.0.1',
];

test('what is printed is read as it was', () => {
  fc.assert(
    fc.property(programs(UNIVERSE), family, (program, own) => {
      for (const rule of natRulesOf(program.values(), own)) {
        expect(readRule(printRule(rule), own)).toEqual(rule);
        const [byNumber] = [printRule(rule).replace(/-p tcp /, '-p 6 ')];
        expect(readRule(byNumber, own)).toEqual(rule);
      }
    }),
  );
});

test('from anything to anything, with strangers in between, in one step, and then nothing is left to do', () => {
  const meddling = fc.record({ rule: fc.constantFrom(...STRANGE), at: fc.nat(20) });
  fc.assert(
    fc.property(
      programs(UNIVERSE),
      programs(UNIVERSE),
      fc.array(meddling, { maxLength: 3 }),
      inside,
      inside,
      family,
      (from, to, meddlings, before, after, own) => {
        const wanted = (program: typeof from, inside: typeof before) => ({
          rules: natRulesOf(program.values(), own),
          masquerade: printMasquerade(natRulesOf(program.values(), own), inside, own, NEW),
        });
        const first = carriedOut(EMPTY, correct(savedAs(EMPTY), wanted(from, before), own));
        const damaged = new Map([...first].map(([chain, rules]) => [chain, [...rules]]));
        for (const { rule, at } of meddlings) damaged.get('hatoba-prerouting')?.splice(at, 0, rule);
        const there = carriedOut(damaged, correct(savedAs(damaged), wanted(to, after), own));
        expect(there.get('hatoba-prerouting')?.toSorted()).toEqual(wanted(to, after).rules.map(printRule).sort());
        expect(there.get('hatoba-postrouting')).toEqual(wanted(to, after).masquerade);
        expect(correct(savedAs(there), wanted(to, after), own)).toMatchObject({ lines: [], count: 0 });
        expect(carriedOut(there, removal(savedAs(there), own))).toEqual(EMPTY);
      },
    ),
  );
});

describe('where ours are reached from', () => {
  const wanted = { rules: [ruleOf(1, 'tcp', ['203.0.113.7', 80], ['10.0.0.1', 80])], masquerade: [] };
  const right = carriedOut(EMPTY, correct(NO_TABLE, wanted, 4));

  test.each([
    ['not the first', ['-j theirs', '-j hatoba-prerouting'], ['-j hatoba-prerouting', '-j theirs']],
    ['gone', ['-j theirs'], ['-j hatoba-prerouting', '-j theirs']],
    ['twice', ['-j hatoba-prerouting', '-j theirs', '-j hatoba-prerouting'], ['-j hatoba-prerouting', '-j theirs']],
  ])('%s', (_, found, expected) => {
    const damaged = new Map(right).set('PREROUTING', found);
    const correction = correct(savedAs(damaged), wanted, 4);
    expect(correction.count).toBe(1);
    expect(carriedOut(damaged, correction).get('PREROUTING')).toEqual(expected);
  });

  test('behind others, where these know better', () => {
    const found = new Map(right).set('POSTROUTING', ['-j theirs', '-j hatoba-postrouting', '-j more']);
    expect(correct(savedAs(found), wanted, 4).lines).toEqual([]);
  });
});

test('what stays is not touched, be it one that goes, or a thousand', () => {
  const rules = Array.from({ length: 1_000 }, (_, index) =>
    ruleOf(index, 'tcp', ['203.0.113.7', 1 + index], ['10.0.0.1', 1 + index]),
  );
  const found = carriedOut(EMPTY, correct(NO_TABLE, { rules, masquerade: [] }, 4));
  for (const stay of [rules.slice(1), rules.slice(-1)]) {
    const { lines } = correct(savedAs(found), { rules: stay, masquerade: [] }, 4);
    expect(lines).toHaveLength(rules.length - stay.length);
    for (const line of lines) expect(line).toMatch(/^-D hatoba-prerouting /);
    expect(carriedOut(found, { lines, removed: [], added: [], count: 0 }).get('hatoba-prerouting')).toEqual(
      stay.map(printRule),
    );
  }
});

describe('what leaves by the inside interface it came in by', () => {
  const rules = natRulesOf([ruleOf(1, 'tcp', ['203.0.113.7', 80], ['10.0.0.1', 80])], 4);
  const ours = '-m conntrack --ctstate DNAT --ctorigdst 203.0.113.7 -j MASQUERADE';
  const keeper = '-m conntrack --ctstate DNAT -j RETURN';

  test('is told by its interfaces, and among the ports of a bridge by its networks', () => {
    expect(printMasquerade(rules, INSIDE, 4, NEW)).toEqual([
      `-i qr-a -o qr-a ${ours}`,
      `-i br-lan -o br-lan ${ours}`,
      `-s 10.1.0.0/16 -d 10.1.0.0/16 -o br-lan ${ours}`,
      `-i qr-b -o qr-b ${ours}`,
      keeper,
    ]);
  });

  test('is told by networks, too, on a kernel that does not know where packets came in', () => {
    expect(printMasquerade(rules, INSIDE.slice(0, 1), 4, OLD)).toEqual([
      `-i qr-a -o qr-a ${ours}`,
      `-s 10.0.0.0/24 -d 10.0.0.0/24 -o qr-a ${ours}`,
      keeper,
    ]);
  });

  test('is none where there is no rule of the family', () => {
    expect(printMasquerade([], INSIDE, 6, OLD)).toEqual([keeper]);
  });
});
