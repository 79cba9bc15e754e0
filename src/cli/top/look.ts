import type { Forward, Status } from '../../client/operations.ts';
import type { Client } from '../client.ts';
import { ratesBetween, type Sample, sumRates } from './rates.ts';
import { rowsOf } from './rows.ts';
import type { TopView } from './view.ts';

/** The counters at one moment, and what they are about. */
export interface Look {
  readonly sample: Sample;
  readonly status: Status;
  readonly forwards: ReadonlyMap<string, Forward>;
}

export interface Observer {
  look(): Promise<Look>;
}

/**
 * Looks at all forwards of the node, or (`router`) those of one router. Forwards are asked for again only when one of them,
 * or where it is outside, has changed: there can be many.
 */
export function createObserver(client: Client, router: string | undefined): Observer {
  let known: { readonly revision: number; readonly forwards: ReadonlyMap<string, Forward> } | undefined;
  return {
    async look() {
      const [status, counters] = await Promise.all([client.getStatus(), client.liveCounters(router)]);
      const at = performance.now();
      if (known?.revision !== status.listing_revision) {
        const listed = await client.listForwards(router === undefined ? {} : { router });
        known = {
          revision: status.listing_revision,
          forwards: new Map(listed.map((forward) => [forward.id, forward])),
        };
      }
      return { sample: { at, counters }, status, forwards: known.forwards };
    },
  };
}

/** What went through them between two looks. */
export function compareLooks(before: Look, after: Look): Pick<TopView, 'status' | 'rows' | 'total'> {
  const rates = ratesBetween(before.sample, after.sample);
  return { status: after.status, rows: rowsOf(rates, after.forwards), total: sumRates(rates) };
}
