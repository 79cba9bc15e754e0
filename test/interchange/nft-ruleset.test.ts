import { expect, test } from 'vitest';
import { readNftChains } from '../../src/interchange/nft-ruleset.ts';
import { hooksOf } from '../../src/interchange/rule-hooks.ts';
import type { NftRuleset } from '../../src/interchange/rule-texts.ts';
import { growthByTen } from '../support/processor-time.ts';

/** Where the rules of each chain, or the chain of each rule, are looked for among all, ten times as many take a hundred times as long. */
const MOST_GROWTH = 40;
const RULES_EACH = 3;
const TABLE = { family: 'ip', table: 'own' };
const BASE = { ...TABLE, name: 'pre', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' };

/** A chain that leads to all others. */
function manyChains(count: number): NftRuleset {
  const names = Array.from({ length: count }, (_, at) => `chain-${at}`);
  const rules = names.flatMap((chain, at) =>
    Array.from({ length: RULES_EACH }, (_, each) => ({
      handle: at * RULES_EACH + each,
      chain,
      expr: [{ drop: null }],
    })),
  );
  const jumps = names.map((target, at) => ({ handle: rules.length + at, chain: 'pre', expr: [{ jump: { target } }] }));
  const objects = [
    ...[BASE, ...names.map((name) => ({ ...TABLE, name }))].map((chain) => ({ chain })),
    ...[...jumps, ...rules].map((rule) => ({ rule: { ...TABLE, ...rule } })),
  ];
  const lines = [...jumps, ...rules].map(({ handle }) => `\t\tits text # handle ${handle}\n`);
  return { objects, text: `table ip own { # handle 1\n${lines.join('')}}\n` };
}

test('each chain of many has its own rules, in no time', () => {
  const rulesets = new Map([1_000, 10_000].map((count) => [count, manyChains(count)]));
  const read = (count: number) => readNftChains(rulesets.get(count) ?? manyChains(count));
  expect(growthByTen(1_000, read)).toBeLessThan(MOST_GROWTH);
  expect(read(1_000).map(({ rules }) => rules.length)).toEqual([1_000, ...Array(1_000).fill(RULES_EACH)]);
});

test('rules of a chain of the same name in another table, or of another family, are not its rules', () => {
  const places = ['ip', 'ip6', 'inet'].flatMap((family) => ['a', 'b'].map((table) => ({ family, table })));
  const objects = places.flatMap((place, handle) => [
    { chain: { ...place, name: 'pre' } },
    { rule: { ...place, chain: 'pre', handle, expr: [{ counter: handle }] } },
  ]);
  const chains = readNftChains({ objects, text: '' });
  expect(chains.flatMap(({ rules }) => rules).map(({ statements }) => statements)).toEqual(
    places.map((_, handle) => [{ counter: handle }]),
  );
});

test('many chains are followed, in no time', () => {
  const rulesets = new Map([1_000, 10_000].map((count) => [count, manyChains(count)]));
  const follow = (count: number) => hooksOf({ dumps: [], nft: rulesets.get(count) ?? manyChains(count) });
  expect(growthByTen(1_000, follow)).toBeLessThan(MOST_GROWTH);
  expect(follow(1_000)[0]?.visits.length).toBeGreaterThanOrEqual(1_000);
});
