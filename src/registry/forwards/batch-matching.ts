import { itemField } from '../../model/batch-item.ts';
import { hatobaError } from '../../model/errors.ts';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { WantedForward } from '../registry.ts';
import type { ForwardIndex } from './forward-index.ts';
import { placeOf } from './forward-place.ts';
import type { ForwardView } from './forward-view.ts';

/**
 * For each item the forward that it is about, null where it wants a new one; no two items have the same, and none has
 * one that is not in the view. Ids are looked at first, then names, in the item's project, then places, so that what one item names is not taken for another's by its place.
 * An item with a name is at the place of a forward only where that has none: it may get a name, but not lose one to
 * another. Error: `item_repeated`.
 */
export function matchItems(
  wanted: readonly WantedForward[],
  index: ForwardIndex,
  view: ForwardView,
): readonly (Forward | null)[] {
  const matches = wanted.map((): Forward | null => null);
  const claimed = new Map<ForwardId, number>();
  const placed = createPlaces(view);

  function claim(item: number, forward: Forward | undefined): void {
    if (forward === undefined || claimed.has(forward.id)) return;
    claimed.set(forward.id, item);
    matches[item] = forward;
  }

  for (const [item, { id }] of wanted.entries()) {
    if (id === null) continue;
    const first = claimed.get(id);
    if (first !== undefined) throw repeated(id, first, item);
    claimed.set(id, item);
    matches[item] = view.get(id) ?? null;
  }
  for (const [item, { id, spec }] of wanted.entries()) {
    if (id === null) claim(item, index.namesake(spec));
  }
  for (const [item, { id, spec }] of wanted.entries()) {
    if (id !== null || matches[item] !== null) continue;
    const there = placed(spec.router, placeOf(spec));
    if (spec.name === null || there?.name === null) claim(item, there);
  }
  return matches;
}

/** Forwards by their places, of each router that is asked about. */
function createPlaces(view: ForwardView): (router: RouterId, place: string) => Forward | undefined {
  const routers = new Map<RouterId, ReadonlyMap<string, Forward>>();
  return (router, place) => {
    const known = routers.get(router);
    if (known !== undefined) return known.get(place);
    const places = new Map(Array.from(view.ofRouter(router).values(), (forward) => [placeOf(forward), forward]));
    routers.set(router, places);
    return places.get(place);
  };
}

function repeated(id: ForwardId, first: number, second: number): Error {
  return hatobaError('item_repeated', { value: id, first }, { field: itemField(second, 'id') });
}
