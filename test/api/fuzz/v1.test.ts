import { afterAll, beforeAll, expect, test } from 'vitest';
import { readDescription } from './described-operations.ts';
import { type Fuzz, fuzzOperation, openFuzz } from './fuzz.ts';
import { FUZZ_PATIENCE } from './runs.ts';

let fuzz: Fuzz;

beforeAll(async () => {
  fuzz = await openFuzz();
}, FUZZ_PATIENCE);
afterAll(() => fuzz[Symbol.asyncDispose]());

/** Everything that openapi.json describes. */
test.for(readDescription().operations)('$id', { timeout: FUZZ_PATIENCE }, async (operation) => {
  const { done, refused } = await fuzzOperation(fuzz, operation);
  expect(Math.min(done, refused), `done ${done} times, refused ${refused} times`).toBeGreaterThan(0);
});
