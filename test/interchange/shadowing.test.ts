import { describe, expect, test } from 'vitest';
import type { NftRuleset } from '../../src/interchange/rule-texts.ts';
import { createShadowing } from '../../src/interchange/shadowing.ts';
import { parseAddress } from '../../src/model/address.ts';
import { parseCidr } from '../../src/model/cidr.ts';
import { parsePortRange } from '../../src/model/port-range.ts';
import { processorTime } from '../support/processor-time.ts';

const PRIORITY = -110;

interface Forward {
  readonly external?: string;
  readonly ports?: string;
  readonly sources?: readonly string[];
}

function outside({ external = '203.0.113.1', ports = '80', sources = [] }: Forward) {
  return {
    protocol: 'tcp' as const,
    external: parseAddress(external),
    externalPorts: parsePortRange(ports),
    sources: sources.map(parseCidr),
  };
}

function ofDump(table: string, rules: readonly string[], forward: Forward = {}): readonly string[] {
  const text = [`*${table}`, ':PREROUTING ACCEPT [0:0]', ':hatoba-x - [0:0]', ...rules, 'COMMIT'].join('\n');
  const dump = { variant: 'nft', family: 4, program: 'iptables-nft', text } as const;
  return createShadowing({ dumps: [dump], nft: null }, PRIORITY).warningsFor(outside(forward));
}

describe('rules of iptables', () => {
  const drop = '-A PREROUTING -d 203.0.113.1/32 -p tcp -j DROP';

  test.each([
    [
      'nat',
      '-A PREROUTING -d 203.0.113.1/32 -j DNAT --to-destination 10.0.0.5',
      'shadows a rule of iptables-nft (nat): ',
    ],
    ['nat', '-A PREROUTING -i qr-+ -p tcp -j REDIRECT --to-ports 1', 'shadows a rule of iptables-nft (nat): '],
    ['nat', '-A PREROUTING -d 203.0.113.1/32 -j ACCEPT', null],
    ['raw', drop, 'shadowed by a rule of iptables-nft (raw): '],
    ['mangle', drop, 'shadowed by a rule of iptables-nft (mangle): '],
    ['raw', '-A PREROUTING -p tcp -j NOTRACK', 'shadowed by a rule of iptables-nft (raw): '],
    // A firewall.
    ['raw', '-A PREROUTING -s 198.51.100.0/24 -j DROP', null],
    ['mangle', '-A PREROUTING -m conntrack --ctstate INVALID -j DROP', null],
    ['filter', drop, null],
  ])('%s: %s', (table, rule, warning) => {
    expect(ofDump(table, [rule])).toEqual(warning === null ? [] : [`${warning}${rule}`]);
  });

  test('a part of the ports', () => {
    const rule = '-A PREROUTING -p tcp -m tcp --dport 85 -j DROP';
    expect(ofDump('raw', [rule], { ports: '80-90' })).toEqual([
      `shadowed for some packets by a rule of iptables-nft (raw): ${rule}`,
    ]);
  });

  test('who may use the forward counts', () => {
    const rule = '-A PREROUTING -s 198.51.100.0/24 -j DROP';
    expect(ofDump('raw', [rule], { sources: ['198.51.100.7/32'] })).toHaveLength(1);
    const dnat = '-A PREROUTING -s 198.51.100.0/24 -p tcp -j DNAT --to-destination 10.0.0.5';
    expect(ofDump('nat', [dnat], { sources: ['192.0.2.0/24'] })).toEqual([]);
  });

  test('our own are none', () => {
    const rules = ['-A PREROUTING -j hatoba-x', '-A hatoba-x -p tcp -j DNAT --to-destination 10.0.0.5'];
    expect(ofDump('nat', rules)).toEqual([]);
    const [first, last] = ['8', '9'].map((host) => `-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.${host}`);
    expect(ofDump('nat', [first ?? '', ...rules, last ?? ''])).toEqual([
      `shadowed by a rule of iptables-nft (nat): ${first}`,
      `shadows a rule of iptables-nft (nat): ${last}`,
    ]);
  });

  test('of many, a few are told', () => {
    const rules = Array.from(
      { length: 9 },
      (_, at) => `-A PREROUTING -p tcp -m tcp --dport ${at + 1} -j DNAT --to-destination 10.0.0.5`,
    );
    const warnings = ofDump('nat', rules, { ports: '1-100' });
    expect(warnings).toHaveLength(6);
    expect(warnings.at(-1)).toBe('and 4 more rules');
  });
});

const [ADDRESS, ADDRESS6] = [
  { payload: { protocol: 'ip', field: 'daddr' } },
  { payload: { protocol: 'ip6', field: 'daddr' } },
];
const PORT = { payload: { protocol: 'tcp', field: 'dport' } };
const is = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const DNAT = { dnat: { addr: '10.0.0.9', port: 8080 } };
const PLACE = { concat: [ADDRESS, PORT] };
const place = (address: string, port: unknown) => ({ concat: [address, port] });
/** A map that is written out. */
const to = (key: unknown, ...places: readonly unknown[]) => ({
  map: { key, data: { set: places.map((one) => [one, '10.0.0.9']) } },
});
const mapped = (key: unknown, ...places: readonly unknown[]) => ({ dnat: { family: 'ip', addr: to(key, ...places) } });

/** A chain of nft at this priority, with one rule. */
function rulesetOf(family: string, type: string, priority: number, statements: readonly unknown[]): NftRuleset {
  const place = { family, table: 'own' };
  return {
    objects: [
      { metainfo: { json_schema_version: 1 } },
      { table: { family, name: 'own' } },
      { chain: { ...place, name: 'pre', type, hook: 'prerouting', prio: priority } },
      { chain: { ...place, name: 'called' } },
      { rule: { ...place, chain: 'pre', handle: 3, expr: statements } },
      { rule: { ...place, chain: 'called', handle: 4, expr: [DNAT] } },
    ],
    text: `table ${family} own { # handle 1\n\tchain pre { # handle 1\n\t\tits text # handle 3\n\t}\n\tchain called {\n\t\tcalled text # handle 4\n`,
  };
}

describe('rules of nft', () => {
  test.each<[string, readonly unknown[], boolean]>([
    ['the same place', [is(ADDRESS, '203.0.113.1'), is(PORT, 80), { counter: null }, DNAT], true],
    ['another address', [is(ADDRESS, '203.0.113.2'), DNAT], false],
    ['not that address', [is(ADDRESS, '203.0.113.1', '!='), DNAT], false],
    ['a network', [is(ADDRESS, { prefix: { addr: '203.0.113.0', len: 24 } }), DNAT], true],
    ['another network', [is(ADDRESS, { prefix: { addr: '203.0.112.0', len: 24 } }), DNAT], false],
    ['a set with ranges', [is(PORT, { set: [22, { range: [79, 81] }] }), DNAT], true],
    ['a set without it', [is(PORT, { set: [22, { range: [81, 99] }] }), DNAT], false],
    ['another protocol by its port', [is({ payload: { protocol: 'udp', field: 'dport' } }, 80), DNAT], false],
    ['any protocol with ports', [is({ payload: { protocol: 'th', field: 'dport' } }, 80), DNAT], true],
    ['a protocol', [is({ meta: { key: 'l4proto' } }, 'udp'), DNAT], false],
    ['a set of protocols', [is({ meta: { key: 'l4proto' } }, { set: ['tcp', 'udp'] }), DNAT], true],
    ['not these protocols', [is({ meta: { key: 'l4proto' } }, { set: ['tcp', 'udp'] }, '!='), DNAT], false],
    ['the other family', [is(ADDRESS6, '2001:db8::1'), DNAT], false],
    ['the other family by name', [is({ meta: { key: 'nfproto' } }, 'ipv6'), DNAT], false],
    ['a condition that is not known', [is({ ct: { key: 'state' } }, 'new', 'in'), DNAT], true],
    ['a set by name', [is(PORT, '@ports'), DNAT], true],
    ['a set of places with it', [is(PLACE, { set: [place('203.0.113.1', { range: [70, 80] })] }), DNAT], true],
    ['a set of places without it', [is(PLACE, { set: [place('203.0.113.1', 81)] }), DNAT], false],
    ['a set of other places', [is(PLACE, { set: ['2', '3'].map((at) => place(`203.0.113.${at}`, 80)) }), DNAT], false],
    ['not these places', [is(PLACE, { set: [place('203.0.113.2', 80)] }, '!='), DNAT], true],
    ['a set of places by name', [is(PLACE, '@places'), DNAT], true],
    ['a map of ports with it', [mapped(PORT, 22, { range: [79, 81] })], true],
    ['a map of ports without it', [mapped(PORT, 22, { range: [81, 99] })], false],
    ['a map of places with it', [mapped(PLACE, place('203.0.113.2', 81), place('203.0.113.1', 80))], true],
    ['a map of places without it', [mapped(PLACE, place('203.0.113.2', 81), place('203.0.113.1', 81))], false],
    ['a map by name', [{ dnat: { addr: { map: { key: PORT, data: '@where' } } } }], true],
    ['a map at random', [mapped({ numgen: { mode: 'inc', mod: 2, offset: 0 } }, 0, 1)], true],
    ['a map of ports to ports', [{ redirect: { port: to(PORT, 81) } }], false],
    ['an address of the other family', [{ dnat: { family: 'ip6', addr: 'fd00::9' } }], false],
    ['redirect', [{ redirect: { port: 1 } }], true],
    ['accept', [{ accept: null }], false],
    ['nothing but a count', [{ counter: null }], false],
  ])('a translation: %s', (_, statements, isTaking) => {
    const later = createShadowing({ dumps: [], nft: rulesetOf('inet', 'nat', -90, statements) }, PRIORITY);
    expect(later.warningsFor(outside({}))).toEqual(isTaking ? ['shadows a rule of nft (inet own pre): its text'] : []);
    const earlier = createShadowing({ dumps: [], nft: rulesetOf('inet', 'nat', -150, statements) }, PRIORITY);
    expect(earlier.warningsFor(outside({})).length > 0).toBe(isTaking);
    const other = createShadowing({ dumps: [], nft: rulesetOf('ip6', 'nat', -90, statements) }, PRIORITY);
    expect(other.warningsFor(outside({}))).toEqual([]);
  });

  test('chains are followed', () => {
    const nft = rulesetOf('ip', 'nat', -150, [is(PORT, 80), { jump: { target: 'called' } }]);
    const shadowing = createShadowing({ dumps: [], nft }, PRIORITY);
    expect(shadowing.warningsFor(outside({}))).toEqual(['shadowed by a rule of nft (ip own pre): called text']);
    expect(shadowing.warningsFor(outside({ ports: '81' }))).toEqual([]);
  });

  test('a map of verdicts leads to chains by its entries', () => {
    const verdicts = [
      [22, { drop: null }],
      [80, { jump: { target: 'called' } }],
      [{ range: [90, 99] }, { accept: null }],
    ];
    const nft = rulesetOf('ip', 'nat', -150, [{ vmap: { key: PORT, data: { set: verdicts } } }]);
    const shadowing = createShadowing({ dumps: [], nft }, PRIORITY);
    expect(shadowing.warningsFor(outside({}))).toEqual(['shadowed by a rule of nft (ip own pre): called text']);
    expect(shadowing.warningsFor(outside({ ports: '22' }))).toEqual([
      'shadowed by a rule of nft (ip own pre): its text',
    ]);
    for (const ports of ['81', '95']) expect(shadowing.warningsFor(outside({ ports }))).toEqual([]);
  });

  test('what a map has nothing for comes to the rules behind it', () => {
    const { objects, text } = rulesetOf('ip', 'nat', -150, [mapped(PORT, 80)]);
    const behind = { rule: { family: 'ip', table: 'own', chain: 'pre', handle: 5, expr: [is(PORT, 443), DNAT] } };
    const nft = { objects: [...objects, behind], text: `${text}\t\tbehind text # handle 5\n` };
    expect(createShadowing({ dumps: [], nft }, PRIORITY).warningsFor(outside({ ports: '443' }))).toEqual([
      'shadowed by a rule of nft (ip own pre): behind text',
    ]);
  });

  test.each<[string, readonly unknown[], boolean]>([
    ['a drop', [is(PORT, 80), { drop: null }], true],
    ['a drop of some', [is({ payload: { protocol: 'ip', field: 'saddr' } }, '192.0.2.1'), { drop: null }], false],
    ['a drop under a condition', [is({ ct: { key: 'state' } }, 'invalid', 'in'), { drop: null }], false],
    ['no tracking', [is(PORT, 80), { notrack: null }], true],
    ['a limit', [{ limit: { rate: 1, per: 'second' } }, { drop: null }], false],
    ['a map of verdicts', [{ vmap: { key: PORT, data: {} } }], false],
  ])('before forwards: %s', (_, statements, isShadow) => {
    const earlier = createShadowing({ dumps: [], nft: rulesetOf('ip', 'filter', -300, statements) }, PRIORITY);
    expect(earlier.warningsFor(outside({})).length > 0).toBe(isShadow);
    const later = createShadowing({ dumps: [], nft: rulesetOf('ip', 'filter', 0, statements) }, PRIORITY);
    expect(later.warningsFor(outside({}))).toEqual([]);
  });

  test('what iptables prints is not told twice', () => {
    const nft = rulesetOf('ip', 'nat', -100, [DNAT]);
    const text = '*own\n:pre ACCEPT [0:0]\nCOMMIT\n';
    const dump = { variant: 'nft', family: 4, program: 'iptables-nft', text } as const;
    expect(createShadowing({ dumps: [dump], nft }, PRIORITY).isEmpty).toBe(true);
    expect(createShadowing({ dumps: [], nft }, PRIORITY).isEmpty).toBe(false);
  });
});

test.each([
  ['a port of the address each', (at: number) => `-d 203.0.113.1/32 -p tcp -m tcp --dport ${20_000 + at}`],
  [
    'ten ports of the address each',
    (at: number) => `-d 203.0.113.1/32 -p tcp -m tcp --dport ${15_000 + 10 * at}:${15_009 + 10 * at}`,
  ],
  ['a port of any address each', (at: number) => `-p tcp -m tcp --dport ${20_000 + at}`],
])('10,000 forwards are compared with 1,000 rules, %s, in no time', (_, match) => {
  const rules = Array.from(
    { length: 1_000 },
    (_rule, at) => `-A PREROUTING ${match(at)} -j DNAT --to-destination 10.0.0.5`,
  );
  const text = ['*nat', ':PREROUTING ACCEPT [0:0]', ...rules, 'COMMIT'].join('\n');
  const dump = { variant: 'nft', family: 4, program: 'iptables-nft', text } as const;
  const shadowing = createShadowing({ dumps: [dump], nft: null }, PRIORITY);
  const compare = (at: number) => shadowing.warningsFor(outside({ ports: `${15_000 + at}` })).length;
  let warned = 0;
  const taken = processorTime(() => {
    for (let at = 0; at < 10_000; at++) warned += compare(at) === 1 ? 1 : 0;
  });
  expect(warned).toBeGreaterThanOrEqual(1_000);
  // Each with each, it takes half a minute.
  expect(taken).toBeLessThan(10_000);
});
