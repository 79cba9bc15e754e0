import type { Place } from './place.ts';

/** Tells when every place that is there at the start has been reconciled, however many changes and routers come meanwhile. */
export interface InitialSync {
  /**
   * Resolves when each of these places has been reconciled with what was pending for it at the time of the call, has
   * failed, or is gone; also after `stop`. Called once. `underWay`: places whose pass has begun.
   */
  until(pending: { readonly queued: Iterable<Place>; readonly underWay: Iterable<Place> }): Promise<void>;
  /** A pass of the place has ended. `isPending`: whether more is pending for it. */
  passed(place: Place, isPending: boolean): void;
  /** The place is gone. */
  forget(place: Place): void;
  stop(): void;
}

export function createInitialSync(): InitialSync {
  /** How many passes of each place are still awaited at most. */
  const awaited = new Map<Place, number>();
  const { promise, resolve } = Promise.withResolvers<void>();

  function forget(place: Place): void {
    if (awaited.delete(place) && awaited.size === 0) resolve();
  }

  return {
    until({ queued, underWay }) {
      for (const place of queued) awaited.set(place, 1);
      // A pass that has begun does not take what was marked since: the next one does.
      for (const place of underWay) awaited.set(place, 2);
      if (awaited.size === 0) resolve();
      return promise;
    },

    passed(place, isPending) {
      const passes = awaited.get(place);
      if (passes === undefined) return;
      if (isPending && passes > 1) awaited.set(place, passes - 1);
      else forget(place);
    },

    forget,
    stop: resolve,
  };
}
