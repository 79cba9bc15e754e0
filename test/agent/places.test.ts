import { expect, test } from 'vitest';
import { createPlace } from '../../src/agent/place.ts';
import { createPlaces } from '../../src/agent/places.ts';
import { createMemoryWorld } from '../contract/memory-dataplane.ts';

function placeOf(id: string, router: string) {
  const nothing = () => {};
  return createPlace(
    { id, router, gateways: {} },
    {
      dataplane: createMemoryWorld().open(),
      desired: () => ({
        revision: 0,
        forwards: new Map(),
        draining: new Set(),
        retired: [],
        orphaned: new Set(),
        gateways: {},
      }),
      baseline: { revision: 0, at: '', gateways: [] },
      prepare: async () => undefined,
      onDue: nothing,
      onStatus: nothing,
      onCorrected: nothing,
      onFailed: nothing,
    },
  );
}

test('places are found by instance and by router, until they are removed', () => {
  const places = createPlaces();
  const [a, b, c] = [placeOf('qrouter-1', '1'), placeOf('snat-1', '1'), placeOf('edge', 'edge')];
  for (const place of [a, b, c]) places.add(place);
  expect(places.get('snat-1')).toBe(b);
  expect(places.of('1')).toEqual([a, b]);
  expect(places.all()).toEqual([a, b, c]);
  expect(places.remove('qrouter-1')).toBe(a);
  expect(places.remove('qrouter-1')).toBeUndefined();
  expect(places.of('1')).toEqual([b]);
  places.remove('snat-1');
  expect(places.of('1')).toEqual([]);
  expect(places.all()).toEqual([c]);
});
