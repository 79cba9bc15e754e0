import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { conflict } from '../../../src/model/conflicts.ts';
import type { Forward } from '../../../src/model/forward.ts';
import { createPortIndex } from '../../../src/registry/forwards/port-index.ts';
import { spec } from '../specs.ts';

const wish = fc
  .record({
    protocol: fc.constantFrom('tcp', 'udp'),
    first: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 250, max: 260 })),
    more: fc.constantFrom(0, 0, 0, 1, 5, 250, 60_000),
    external_address: fc.constantFrom('gateway', '203.0.113.7', '203.0.113.8'),
    sources: fc.constantFrom([], ['192.0.2.0/25'], ['192.0.2.128/25']),
  })
  .map(({ first, more, ...rest }) => spec({ ...rest, external_port: `${first}-${first + more}` }));

test('finds a conflict exactly where comparing with every forward does', () => {
  const gateways = { 4: parseAddress('203.0.113.7') };
  fc.assert(
    fc.property(fc.array(fc.tuple(wish, fc.boolean()), { maxLength: 40 }), wish, (steps, asked) => {
      const index = createPortIndex<Forward>();
      const there = new Map<string, Forward>();
      for (const [number, [each, isAdded]] of steps.entries()) {
        const oldest = there.values().next().value;
        if (!isAdded && oldest !== undefined) {
          index.remove(oldest);
          there.delete(oldest.id);
        } else if (isAdded) {
          const forward = { ...each, id: `f${number}`, revision: 1, createdAt: '', updatedAt: '' };
          index.add(forward);
          there.set(forward.id, forward);
        }
      }
      for (const except of [null, ...there.keys()]) {
        const rivals = [...there.values()].filter(({ id }) => id !== except);
        const expected = rivals.filter((forward) => conflict(forward, asked, gateways)).map(({ id }) => id);
        const found = index.conflictOf(asked, gateways, except);
        if (found === undefined) expect(expected).toEqual([]);
        else expect(expected).toContain(found.id);
      }
    }),
  );
});
