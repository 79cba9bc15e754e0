import type { RouterId } from '../model/router.ts';
import type { Place } from './place.ts';

/** The places of this node, by instance and by router. */
export interface Places {
  get(id: string): Place | undefined;
  of(router: RouterId): readonly Place[];
  all(): readonly Place[];
  add(place: Place): void;
  remove(id: string): Place | undefined;
}

export function createPlaces(): Places {
  const byId = new Map<string, Place>();
  const byRouter = new Map<RouterId, readonly Place[]>();

  function replace(router: RouterId, places: readonly Place[]): void {
    if (places.length === 0) byRouter.delete(router);
    else byRouter.set(router, places);
  }

  const of = (router: RouterId) => byRouter.get(router) ?? [];
  return {
    get: (id) => byId.get(id),
    of,
    all: () => [...byId.values()],
    add(place) {
      const { id, router } = place.instance;
      byId.set(id, place);
      replace(router, [...of(router), place]);
    },
    remove(id) {
      const place = byId.get(id);
      if (place === undefined) return undefined;
      const { router } = place.instance;
      byId.delete(id);
      replace(
        router,
        of(router).filter((other) => other !== place),
      );
      return place;
    },
  };
}
