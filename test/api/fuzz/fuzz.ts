import fc from 'fast-check';
import { readDescription } from './described-operations.ts';
import { type Judged, sendAndJudge } from './invariants.ts';
import { neutronOperations } from './neutron-operations.ts';
import { requestsOf } from './requests.ts';
import { fuzzParameters } from './runs.ts';
import { type Operation, operationAt } from './schema.ts';
import { openWorld, type WorldOptions } from './world.ts';

export interface Fuzz extends Judged, AsyncDisposable {}

/** A world of its own, and all that can be asked there. */
export async function openFuzz(options: WorldOptions = {}): Promise<Fuzz> {
  const description = readDescription();
  const world = await openWorld(options);
  return {
    world,
    description,
    operations: [...description.operations, ...neutronOperations()],
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Asks for the operation in many ways, each time as everything was at the beginning; how often it was done, and refused. */
export async function fuzzOperation(fuzz: Fuzz, operation: Operation): Promise<{ done: number; refused: number }> {
  const { world, description } = fuzz;
  const count = { done: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(requestsOf(world, description.resolve, operation), async (sent) => {
      await world.reset();
      const { status, path } = await sendAndJudge(fuzz, sent);
      if (status >= 300) count.refused++;
      else if (operationAt(fuzz.operations, sent.method, path)?.id === operation.id) count.done++;
    }),
    fuzzParameters,
  );
  return count;
}
