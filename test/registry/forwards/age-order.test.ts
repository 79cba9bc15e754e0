import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Forward } from '../../../src/model/forward.ts';
import { createAgeOrder } from '../../../src/registry/forwards/age-order.ts';
import { spec } from '../specs.ts';

// Many of the same age, so that the id has to decide.
const forward = fc
  .record({ id: fc.uuid(), minute: fc.integer({ min: 10, max: 19 }) })
  .map(({ id, minute }): Forward => {
    const at = `2026-01-01T00:${minute}:00.000Z`;
    return { ...spec(), id, revision: 1, createdAt: at, updatedAt: at };
  });

const step = fc.record({ forward, what: fc.constantFrom('add', 'add', 'remove', 'list') });

test('the order is that of sorting, whatever came and went between', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const there = new Map<string, Forward>();
      const order = createAgeOrder(() => there.values());
      for (const { forward, what } of steps) {
        const oldest = there.values().next().value;
        if (what === 'list') expect(order.list()).toEqual(sorted(there.values()));
        else if (what === 'remove' && oldest !== undefined) {
          there.delete(oldest.id);
          order.remove(oldest);
        } else if (!there.has(forward.id)) {
          there.set(forward.id, forward);
          order.add(forward);
        }
      }
      expect(order.list()).toEqual(sorted(there.values()));
    }),
  );
});

test('thousands of changes at once are in order, too', () => {
  const there = new Map<string, Forward>();
  const order = createAgeOrder(() => there.values());
  expect(order.list()).toEqual([]);
  for (const each of fc.sample(forward, 3000)) {
    if (there.has(each.id)) continue;
    there.set(each.id, each);
    order.add(each);
  }
  expect(order.list()).toEqual(sorted(there.values()));
});

function sorted(forwards: Iterable<Forward>): Forward[] {
  const ages = Array.from(forwards, (forward) => ({ age: `${forward.createdAt} ${forward.id}`, forward }));
  return ages.sort((a, b) => (a.age < b.age ? -1 : 1)).map(({ forward }) => forward);
}
