import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { conflict } from '../../../src/model/conflicts.ts';
import type { Forward, ForwardInput, ForwardSpec } from '../../../src/model/forward.ts';
import { type ForwardDraft, parseForwardDraft } from '../../../src/model/forward-draft.ts';
import type { PortRange } from '../../../src/model/port-range.ts';
import { choosePorts } from '../../../src/registry/forwards/auto-ports.ts';
import { createPortIndex } from '../../../src/registry/forwards/port-index.ts';
import { openRegistry } from '../../../src/registry/open-registry.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { outcome } from '../../model/refusal.ts';
import { spec } from '../specs.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';

function draft(internal_port: string | number = 22, input: Partial<ForwardInput> = {}): ForwardDraft {
  const plain = { router: 'r1', internal_address: '192.168.50.11' };
  return parseForwardDraft({ ...plain, ...input, internal_port, external_port: 'auto' });
}

const place = fc.record({
  protocol: fc.constantFrom('tcp', 'udp'),
  external_address: fc.constantFrom('gateway', '203.0.113.7', '203.0.113.8'),
  sources: fc.constantFrom([], ['192.0.2.0/25'], ['192.0.2.128/25']),
});

/** Asks for `auto` where there is no first port. */
const wish = fc.record({ place, first: fc.option(fc.integer({ min: 1, max: 24 })), more: fc.constantFrom(0, 0, 1, 4) });

const POOL: PortRange = { first: 5, last: 16 };
const GATEWAYS = { 4: parseAddress('203.0.113.7') };

/** The same, looking at every port and every forward. */
function bruteForce(wanted: ForwardDraft, count: number, there: readonly ForwardSpec[]): PortRange | null {
  for (let first = POOL.first; first + count - 1 <= POOL.last; first++) {
    const externalPorts = { first, last: first + count - 1 };
    if (!there.some((other) => conflict(other, { ...wanted, externalPorts }, GATEWAYS))) return externalPorts;
  }
  return null;
}

test('the lowest free ports are chosen, and none where and only where there are none', () => {
  const seen = { chosen: 0, exhausted: 0 };
  fc.assert(
    fc.property(fc.array(fc.tuple(wish, fc.nat(5)), { maxLength: 40, size: 'max' }), (steps) => {
      const index = createPortIndex<Forward>();
      const there: Forward[] = [];
      for (const [number, [{ place: input, first, more }, removed]] of steps.entries()) {
        for (const oldest of there.splice(0, removed === 0 ? 1 : 0)) index.remove(oldest);
        const wanted = draft(more === 0 ? 22 : `22-${22 + more}`, input);
        const chosen = outcome(() => choosePorts(wanted, POOL, index, GATEWAYS));
        const expected = bruteForce(wanted, more + 1, there);
        if (expected === null) expect(chosen).toMatchObject({ code: 'auto_ports_exhausted', field: 'external_port' });
        else expect(chosen).toEqual({ ...wanted, externalPorts: expected });
        seen[expected === null ? 'exhausted' : 'chosen']++;

        const named = first === null ? null : { ...wanted, externalPorts: { first, last: first + more } };
        const added = named ?? (expected === null ? null : { ...wanted, externalPorts: expected });
        if (added === null || there.some((other) => conflict(other, added, GATEWAYS))) continue;
        const forward = { ...added, id: `f${number}`, revision: 1, createdAt: '', updatedAt: '' };
        index.add(forward);
        there.push(forward);
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(seen.chosen, seen.exhausted)).toBeGreaterThan(100);
});

describe('in a registry', () => {
  let store: TemporaryStore;
  let registry: Registry;

  beforeEach(async () => {
    store = openTemporaryStore();
    registry = await openRegistry(store, { autoPorts: { first: 5001, last: 5010 } });
  });

  afterEach(async () => {
    await registry.stop();
    await store.remove();
  });

  const ports = () => registry.forwards.list().map(({ externalPorts }) => externalPorts.first);

  test('many who ask at once, also by another one on the same store, get a port each, and the others hear why not', async () => {
    const other = await openRegistry(store, { autoPorts: { first: 5001, last: 5010 } });
    const asked = Array.from({ length: 14 }, (_, at) => (at % 2 === 0 ? registry : other).forwards.create(draft()));
    const results = await Promise.allSettled(asked);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toHaveLength(4);
    for (const error of refused) {
      expect(error).toMatchObject({
        code: 'auto_ports_exhausted',
        message: 'the pool of ports 5001-5010 has no port left for tcp on router r1',
      });
    }
    expect(ports().sort((a, b) => a - b)).toEqual([5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008, 5009, 5010]);
    await other.stop();
  });

  test('what is disabled or has a name keeps its port, what was removed leaves it to the next', async () => {
    const first = await registry.forwards.create(draft(22, { enabled: false, name: 'web' }));
    const second = await registry.forwards.create(draft());
    expect([first, second].map(({ externalPorts }) => externalPorts.first)).toEqual([5001, 5002]);
    await registry.forwards.remove(first.id);
    expect((await registry.forwards.create(draft())).externalPorts).toEqual({ first: 5001, last: 5001 });
    const elsewhere = await registry.forwards.create(draft(22, { protocol: 'udp' }));
    const far = await registry.forwards.create(draft(22, { router: 'r2' }));
    expect([elsewhere, far].map(({ externalPorts }) => externalPorts.first)).toEqual([5001, 5001]);
  });

  test('a change chooses others than it had', async () => {
    const { id } = await registry.forwards.create(draft());
    await registry.forwards.create(draft());
    const changed = await registry.forwards.update(id, () => draft());
    expect(changed.externalPorts).toEqual({ first: 5003, last: 5003 });
    expect(registry.forwards.get(id)).toEqual(changed);
    await registry.forwards.create(spec({ external_port: 6000, name: 'outside' }));
    const moved = await registry.forwards.update(registry.forwards.find('outside').id, () => draft());
    expect(moved.externalPorts).toEqual({ first: 5001, last: 5001 });
  });
});
