import { expect, test } from 'vitest';
import { readDescription } from './described-operations.ts';
import { fuzzOperation, openFuzz } from './fuzz.ts';
import { FUZZ_PATIENCE } from './runs.ts';
import type { WorldOptions } from './world.ts';

/** That the fuzzer would find what it looks for is shown by an API in which it is. */
test.each<[string, WorldOptions, string, RegExp]>([
  [
    'that everybody sees everything',
    { mistake: (caller) => ({ ...caller, allProjects: true }) },
    'listForwards',
    /as (?:scarlet|bluely)-\w+: curl -X GET[\s\S]+tells (?:scarlet|bluely)-\w+ of others/,
  ],
  [
    'that everybody is an operator',
    { mistake: (caller) => ({ ...caller, role: 'admin', allProjects: true }) },
    'removeForward',
    /-X DELETE[\s\S]+(?:changed something|changed somebody else's|of others)/,
  ],
  [
    'that a reader may write',
    { mistake: (caller) => ({ ...caller, role: 'admin' }) },
    'applyForwards',
    /as \w+-reader: curl -X POST[\s\S]+it changed/,
  ],
  ['that something breaks', { node: { counters: fail } }, 'getCounters', /-X GET[\s\S]+it answers 500/],
  [
    'that an answer is not what is described',
    {
      node: {
        counters: async () => [{ forward: 'x', connections: -1, in: null, out: null, lastUsed: null }],
      },
    },
    'getCounters',
    /curl -X GET[\s\S]+getCounters answers 200 with/,
  ],
])('it finds %s', { timeout: FUZZ_PATIENCE }, async (_what, options, id, found) => {
  await using fuzz = await openFuzz(options);
  const operation = readDescription().operations.find((one) => one.id === id);
  if (operation === undefined) throw new Error(`there is no ${id}`);
  const failure = await fuzzOperation(fuzz, operation).catch((error: unknown) => error);
  if (!(failure instanceof Error)) throw new Error('it found nothing');
  const cause = failure.cause instanceof Error ? failure.cause.message : '';
  expect(`${failure.message}\n${cause}`).toMatch(found);
});

async function fail(): Promise<never> {
  throw new Error('a bug');
}
