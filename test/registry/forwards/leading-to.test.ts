import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Forward, ForwardSpec } from '../../../src/model/forward.ts';
import { portsOverlap } from '../../../src/model/port-range.ts';
import { createForwardIndex } from '../../../src/registry/forwards/forward-index.ts';
import { spec } from '../specs.ts';

const wish = fc
  .record({
    router: fc.constantFrom('r1', 'r2'),
    protocol: fc.constantFrom('tcp', 'udp'),
    internal_address: fc.constantFrom('192.168.50.11', '192.168.50.12'),
    first: fc.integer({ min: 250, max: 260 }),
    more: fc.constantFrom(0, 0, 0, 1, 5, 250),
  })
  .map(({ first, more, ...rest }) => {
    const ports = `${first}-${first + more}`;
    return spec({ ...rest, external_port: ports, internal_port: ports });
  });

/** One of eight is put anew or removed, or it is asked what leads to where the wish leads. */
const step = fc.record({
  wish,
  id: fc.integer({ min: 0, max: 7 }),
  what: fc.constantFrom('put', 'put', 'remove', 'ask'),
});

function leadsTo(one: ForwardSpec, other: ForwardSpec): boolean {
  const isSame = one.internalAddress.text === other.internalAddress.text && one.router === other.router;
  return isSame && one.protocol === other.protocol && portsOverlap(one.internalPorts, other.internalPorts);
}

test('finds all that lead to the same port, however early it is asked first, and none that is gone', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const index = createForwardIndex();
      const there = new Map<string, Forward>();
      for (const [revision, { wish, id: number, what }] of steps.entries()) {
        const id = `f${number}`;
        const before = there.get(id);
        if (what === 'put') {
          const forward = { ...wish, id, revision, createdAt: '', updatedAt: '' };
          there.set(id, forward);
          index.put(forward);
        } else if (what === 'remove' && before !== undefined) {
          there.delete(id);
          index.remove(before.router, id);
        } else {
          const found = new Set(index.leadingTo(wish));
          for (const forward of there.values()) if (leadsTo(forward, wish)) expect(found).toContain(forward);
          for (const forward of found) expect(there.get(forward.id)).toBe(forward);
        }
      }
    }),
  );
});
