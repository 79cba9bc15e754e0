import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Applied, createApplied, type Plan } from '../../src/agent/applied.ts';
import type { Forward } from '../../src/model/forward.ts';
import type { ForwardId } from '../../src/model/ids.ts';
import type { Gateways } from '../../src/model/router.ts';
import { resolve } from '../../src/program/resolve.ts';
import { type Rule, rulesOverlap } from '../../src/program/rule.ts';
import { crowdedForwards, crowdedGateways, forwardOf, idOf } from '../model/arbitraries.ts';

type Forwards = ReadonlyMap<ForwardId, Forward>;

/** What becomes of the forwards, some of them (`null`: all), or of the gateways. */
const step = fc.record({
  next: crowdedForwards.map((list) => new Map(list.map((forward) => [forward.id, forward]))),
  touched: fc.option(fc.uniqueArray(fc.nat(14), { maxLength: 5 })),
  gateways: fc.option(crowdedGateways, { freq: 3 }),
});

/** The plan that an instance would follow: of these forwards, where that is possible. */
function planOf(applied: Applied, ids: ReadonlySet<ForwardId> | null, forwards: Forwards, gateways: Gateways): Plan {
  const some = ids === null ? undefined : applied.planSome(ids, forwards, gateways);
  return some ?? applied.planAll(forwards, gateways);
}

/** As a kernel does it: removing what is not there, or adding what is there already, cannot be done. */
function perform(kernel: Map<string, Rule>, { change }: Plan): void {
  for (const rule of change.remove) expect(kernel.delete(rule.forward)).toBe(true);
  for (const rule of change.add) {
    expect([...kernel.values()].some((other) => rulesOverlap(other, rule))).toBe(false);
    kernel.set(rule.forward, rule);
  }
}

test('any sequence of plans that are done ends where resolving from scratch does', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const applied = createApplied();
      const kernel = new Map<string, Rule>();
      let forwards: Forwards = new Map();
      let gateways: Gateways = {};
      for (const { next, touched, gateways: changed } of steps) {
        const ids = touched === null ? null : new Set(touched.map((index) => idOf(1000 - index)));
        forwards = ids === null ? next : mixed(forwards, next, ids);
        const plan = planOf(applied, changed === null ? ids : null, forwards, changed ?? gateways);
        gateways = changed ?? gateways;
        perform(kernel, plan);
        plan.done();
        const wanted = resolve(forwards.values(), gateways);
        expect(applied.program).toEqual(wanted.program);
        expect(applied.problems).toEqual(wanted.problems);
        expect(new Set(kernel.values())).toEqual(new Set(wanted.program.values()));
      }
    }),
    { numRuns: 500 },
  );
});

/** `before`, but for the forwards `ids`, which are as in `after`. */
function mixed(before: Forwards, after: Forwards, ids: ReadonlySet<ForwardId>): Forwards {
  const forwards = new Map(before);
  for (const id of ids) {
    const forward = after.get(id);
    if (forward === undefined) forwards.delete(id);
    else forwards.set(id, forward);
  }
  return forwards;
}

test('a plan that is never done changes nothing', () => {
  const applied = createApplied();
  const forwards = new Map([[idOf(1), forwardOf({ external_address: '192.0.2.1' }, { id: idOf(1) })]]);
  const first = applied.planAll(forwards, {}).change;
  expect(applied.program.size).toBe(0);
  expect(applied.planSome(new Set([idOf(1)]), forwards, {})?.change).toEqual(first);
});

test('a change of one forward among many looks at that one alone', () => {
  const applied = createApplied();
  const forwards = new Map(
    Array.from({ length: 100 }, (_, index) => {
      const id = idOf(index);
      return [id, forwardOf({ external_address: '192.0.2.1', external_port: 1 + index }, { id })];
    }),
  );
  applied.planAll(forwards, {}).done();
  const changed = new Map(forwards).set(
    idOf(7),
    forwardOf({ external_address: '192.0.2.1', external_port: 8, internal_address: '10.0.0.9' }, { id: idOf(7) }),
  );
  const unread = new Proxy(changed, {
    get: (map, name) => (name === 'get' ? map.get.bind(map) : expect.fail(`read ${String(name)}`)),
  });
  const plan = applied.planSome(new Set([idOf(7)]), unread, {});
  expect(plan?.change.add).toMatchObject([{ forward: idOf(7), internal: { text: '10.0.0.9' } }]);
  expect(plan?.change.remove).toMatchObject([{ forward: idOf(7) }]);
});
