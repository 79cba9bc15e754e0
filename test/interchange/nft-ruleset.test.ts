import { expect, test } from 'vitest';
import { readNftChains } from '../../src/interchange/nft-ruleset.ts';
import { hooksOf } from '../../src/interchange/rule-hooks.ts';
import type { NftRuleset } from '../../src/interchange/rule-texts.ts';
import { processorTime } from '../support/processor-time.ts';

/** Where the rules of each chain, or the chain of each rule, are looked for among all, it is many times as long. */
const LIMIT = 2_000;
const [CHAINS, RULES_EACH] = [10_000, 3];
const TABLE = { family: 'ip', table: 'own' };
const BASE = { ...TABLE, name: 'pre', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' };

/** A chain that leads to all others. */
function manyChains(): NftRuleset {
  const names = Array.from({ length: CHAINS }, (_, at) => `chain-${at}`);
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
  const ruleset = manyChains();
  expect(processorTime(() => readNftChains(ruleset))).toBeLessThan(LIMIT);
  expect(readNftChains(ruleset).map(({ rules }) => rules.length)).toEqual([CHAINS, ...Array(CHAINS).fill(RULES_EACH)]);
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
  const ruleset = manyChains();
  expect(processorTime(() => hooksOf({ dumps: [], nft: ruleset }))).toBeLessThan(LIMIT);
  const [hook] = hooksOf({ dumps: [], nft: ruleset });
  expect(hook?.visits.length).toBeGreaterThanOrEqual(CHAINS);
});
