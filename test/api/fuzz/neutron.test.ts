import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fuzz, fuzzOperation, openFuzz } from './fuzz.ts';
import { NEVER_DONE, neutronOperations } from './neutron-operations.ts';
import { FUZZ_PATIENCE } from './runs.ts';

let fuzz: Fuzz;

beforeAll(async () => {
  fuzz = await openFuzz();
}, FUZZ_PATIENCE);
afterAll(() => fuzz[Symbol.asyncDispose]());

test.for(neutronOperations())('$id', { timeout: FUZZ_PATIENCE }, async (operation) => {
  const { done, refused } = await fuzzOperation(fuzz, operation);
  const count = `done ${done} times, refused ${refused} times`;
  expect(refused, count).toBeGreaterThan(0);
  if (NEVER_DONE.includes(operation.id)) expect(done, count).toBe(0);
  else expect(done, count).toBeGreaterThan(0);
});
