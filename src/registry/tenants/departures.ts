import { hatobaError } from '../../model/errors.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';

/** A forward that a project has no longer on a router: it was removed, moved, or belongs to another project now. */
export interface Departure {
  readonly project: string;
  readonly router: RouterId;
  readonly id: ForwardId;
}

/**
 * Who had the forwards that are gone: of those, the store keeps no more than the keys. It is known from when this
 * process began to follow the store, and of the newest only.
 */
export interface Departures {
  /** Those of one step of the index, which leads to `revision`. */
  add(departures: readonly Departure[], revision: number): void;
  /** Those of the project after one revision, up to another. Error `store_compacted`: they are not all known any more. */
  between(project: string, after: number, to: number): readonly Departure[];
}

/** `Departures.between` for one project. */
export type LeftBetween = (after: number, to: number) => readonly Departure[];

/** About as many as the store keeps revisions. */
const KEPT = 10_000;

export function createDepartures(kept = KEPT): Departures {
  const known: { readonly revision: number; readonly departure: Departure }[] = [];
  let since: number | null = null;

  return {
    add(departures, revision) {
      since ??= revision;
      // Not those of this step, however many: whoever is told of it asks for them next.
      if (known.length >= 2 * kept) since = known.splice(0, known.length - kept).at(-1)?.revision ?? since;
      for (const departure of departures) known.push({ revision, departure });
    },

    between(project, after, to) {
      if (since === null || after < since) throw hatobaError('store_compacted', { value: after });
      const first = known.findLastIndex(({ revision }) => revision <= after) + 1;
      return known
        .slice(first)
        .filter(({ revision, departure }) => revision <= to && departure.project === project)
        .map(({ departure }) => departure);
    },
  };
}
