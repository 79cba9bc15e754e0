import { expect, test } from 'vitest';
import { readNftChains } from '../../src/interchange/nft-ruleset.ts';
import { hooksOf } from '../../src/interchange/rule-hooks.ts';
import type { NftRuleset } from '../../src/interchange/rule-texts.ts';

const [CHAINS, RULES_EACH] = [1_000, 3];
/** Where the rules of each chain, or the chain of each rule, are looked for among all, it is a thousand. */
const LOOKS_PER_OBJECT = 20;
const TABLE = { family: 'ip', table: 'own' };
const BASE = { ...TABLE, name: 'pre', type: 'filter', hook: 'prerouting', prio: -300, policy: 'accept' };

/** A chain that leads to all others; `looks`: how often one of the objects was asked which chain it is, or is of. */
function manyChains(): NftRuleset & { looks(): number } {
  let looks = 0;
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
    ...[BASE, ...names.map((name) => ({ ...TABLE, name }))].map((chain) => ({ chain: counted(chain, 'name') })),
    ...[...jumps, ...rules].map((rule) => ({ rule: counted({ ...TABLE, ...rule }, 'chain') })),
  ];
  const lines = [...jumps, ...rules].map(({ handle }) => `\t\tits text # handle ${handle}\n`);
  return { objects, text: `table ip own { # handle 1\n${lines.join('')}}\n`, looks: () => looks };

  function counted(object: Readonly<Record<string, unknown>>, key: string): object {
    const value = object[key];
    const get = () => {
      looks++;
      return value;
    };
    return Object.defineProperty({ ...object }, key, { get, enumerable: true });
  }
}

test('each chain of many has its own rules, and no look at those of others', () => {
  const ruleset = manyChains();
  const chains = readNftChains(ruleset);
  expect(ruleset.looks()).toBeLessThan(LOOKS_PER_OBJECT * ruleset.objects.length);
  expect(chains.map(({ rules }) => rules.length)).toEqual([CHAINS, ...Array(CHAINS).fill(RULES_EACH)]);
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

test('many chains are followed, and each is looked at a few times', () => {
  const ruleset = manyChains();
  const [hook] = hooksOf({ dumps: [], nft: ruleset });
  expect(ruleset.looks()).toBeLessThan(LOOKS_PER_OBJECT * ruleset.objects.length);
  expect(hook?.visits.length).toBeGreaterThanOrEqual(CHAINS);
});
