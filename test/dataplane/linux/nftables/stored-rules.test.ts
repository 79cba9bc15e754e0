import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementsOf } from '../../../../src/dataplane/linux/nftables/elements.ts';
import { readStoredRules } from '../../../../src/dataplane/linux/nftables/stored-rules.ts';
import type { SetElement } from '../../../../src/kernel/nft/nft-batch.ts';
import type { TableState } from '../../../../src/kernel/nft/nft-table.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { withoutNested } from '../../../../src/model/cidr.ts';
import type { Rule } from '../../../../src/program/rule.ts';
import { programs, ruleOf } from '../../../program/programs.ts';

function tableOf(elements: readonly SetElement[]): TableState {
  return { fingerprint: '', elements: Map.groupBy(elements, ({ set }) => set) };
}

const all = () => true;

/** The same packets: what a source within another one, or one of everything, adds is nothing. */
function canonical(rule: Rule): Rule {
  const sources = withoutNested(rule.sources).toSorted((a, b) => (a.first < b.first ? -1 : 1));
  return { ...rule, sources: sources.some(({ text }) => text.endsWith('/0')) ? [] : sources };
}

const universe = {
  protocols: ['tcp', 'udp', 'sctp', 'dccp', 'udplite'],
  external: ['203.0.113.1', '203.0.113.2', '2001:db8::1'].map(parseAddress),
  externalPorts: [1, 80, 65_535, '80-83', '100-227', '1-65535', '60001-60007'],
  internal: ['10.0.0.1', '10.0.0.2', 'fd00::1'].map(parseAddress),
  internalPorts: [1, 22, 80, 500],
  sources: [
    '0.0.0.0/0',
    '198.51.100.0/24',
    '198.51.100.7/32',
    '192.0.2.0/25',
    '::/0',
    '2001:db8:1::/48',
    'fd00::7/128',
  ],
} as const;

describe('rules are read back from the elements that they are made of', () => {
  test('whatever they are', () => {
    fc.assert(
      fc.property(programs(universe), fc.boolean(), (program, accounting) => {
        const rules = [...program.values()];
        const table = tableOf(rules.flatMap((rule) => elementsOf(rule, { accounting })));
        const found = new Map(readStoredRules(table, all).map((rule) => [rule.forward, rule]));
        expect(found).toEqual(new Map(rules.map((rule) => [rule.forward, canonical(rule)])));
      }),
    );
  });

  test('with their end, to the second', () => {
    const rule = { ...ruleOf(1, 'tcp', ['203.0.113.1', 80], ['10.0.0.1', 80]), expiresAt: '2031-02-03T04:05:06.000Z' };
    const late = elementsOf(rule, { accounting: false }).map((one) => ({ ...one, expires: (one.expires ?? 0) + 7 }));
    expect(readStoredRules(tableOf(late), all)).toEqual([rule]);
  });

  test('only those that are meant', () => {
    const rules = [1, 2].map((id) => ruleOf(id, 'tcp', ['203.0.113.1', id], ['10.0.0.1', 80]));
    const table = tableOf(rules.flatMap((rule) => elementsOf(rule, { accounting: true })));
    expect(readStoredRules(table, (id) => id === rules[1]?.forward)).toEqual([rules[1]]);
  });
});

describe('what does not make one rule is left out', () => {
  const rule = ruleOf(
    1,
    'tcp',
    ['203.0.113.1', '8000-8009'],
    ['10.0.0.1', '9000-9009'],
    '192.0.2.0/24',
    '198.51.100.0/24',
  );
  const elements = elementsOf(rule, { accounting: false });
  const changed = (change: (element: SetElement) => Partial<SetElement>) =>
    elements.map((element, at) => (at === 1 ? { ...element, ...change(element) } : element));

  test.each([
    { what: 'a block is missing', found: elements.slice(1) },
    { what: 'one leads elsewhere', found: changed(({ value }) => ({ value: value.replace('10.0.0.1', '10.0.0.2') })) },
    {
      what: 'one is of another address',
      found: changed(({ key }) => ({ key: key.replaceAll('203.0.113.1', '203.0.113.2') })),
    },
    {
      what: 'one is of an unknown protocol',
      found: changed(({ key }) => ({ key: key.replaceAll(' . 6 . ', ' . 47 . ') })),
    },
    { what: 'no id', found: elements.map((element) => ({ ...element, comment: 'web' })) },
    { what: 'no comment', found: elements.map((element) => ({ ...element, comment: '' })) },
    { what: 'another form', found: elements.map((element) => ({ ...element, key: 'x' })) },
    { what: 'another set', found: elements.map((element) => ({ ...element, set: 'hairpin4' })) },
    {
      what: 'sources that are no network',
      found: elementsOf(ruleOf(1, 'tcp', ['203.0.113.1', 80], ['10.0.0.1', 80], '192.0.2.0/24'), {
        accounting: false,
      }).map((element) => ({ ...element, key: element.key.replace('192.0.2.255', '192.0.2.200') })),
    },
  ])('$what', ({ found }) => {
    expect(readStoredRules(tableOf(found), all)).toEqual([]);
  });
});
