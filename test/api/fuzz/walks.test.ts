import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Fuzz, openFuzz } from './fuzz.ts';
import { sendAndJudge } from './invariants.ts';
import { printable, requestsOf, type Sent } from './requests.ts';
import { FUZZ_PATIENCE, fuzzParameters } from './runs.ts';
import { type FuzzCaller, isOperator, KNOWN_CALLERS } from './tenants.ts';

const CHANGES = [
  'createForward',
  'createForwards',
  'updateForward',
  'removeForward',
  'applyForwards',
  'restoreBackup',
  'adoptRules',
  'recoverForwards',
];
const NEUTRONS_CHANGES = ['create port_forwarding', 'update port_forwarding', 'delete port_forwarding'];

/** Where everything that is kept is told. */
const LISTS = [
  '/v1/forwards',
  '/v1/backup',
  '/v1/routers',
  '/v1/counters?live=true',
  '/v2.0/floatingips',
  '/v2.0/ports',
  '/v2.0/routers',
];

const readers = KNOWN_CALLERS.filter(({ role }) => role === 'reader');

test('whatever was done, all can be told, and nobody is told of others', { timeout: FUZZ_PATIENCE }, async () => {
  await using fuzz = await openFuzz();
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(walks(fuzz), async (walk) => {
      await fuzz.world.reset();
      const said = new Map<string | null, string>();
      for (const sent of walk) {
        const { status } = await sendAndJudge(fuzz, sent, said.get(sent.caller.project));
        if (status < 300) changes++;
        hear(said, sent);
      }
      for (const caller of readers) {
        for (const url of LISTS) {
          const asked = printable({ caller, method: 'GET', url, headers: {} });
          const { status, body } = await sendAndJudge(fuzz, asked, said.get(caller.project));
          expect(status, `${url} tells ${caller.name} ${body}`).toBe(200);
        }
      }
    }),
    fuzzParameters,
  );
  expect(changes).toBeGreaterThan(0);
});

function walks({ world, description, operations }: Fuzz): fc.Arbitrary<readonly Sent[]> {
  const changing = operations.filter(({ id }) => [...CHANGES, ...NEUTRONS_CHANGES].includes(id));
  const one = fc.oneof(...changing.map((operation) => requestsOf(world, description.resolve, operation)));
  return fc.array(one, { minLength: 1, maxLength: 4 });
}

/** What somebody has said can be told to those of their project; what an operator has said, to everybody. */
function hear(said: Map<string | null, string>, { caller, url, body }: Sent): void {
  const hearers: readonly FuzzCaller[] = isOperator(caller) ? readers : [caller];
  for (const { project } of hearers) said.set(project, `${said.get(project) ?? ''} ${url} ${body ?? ''}`);
}
