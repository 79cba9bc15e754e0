import type { Forward } from '../../client/operations.ts';
import { externalEndpoint, internalEndpoint } from '../forwards/report.ts';
import type { ForwardRates } from './rates.ts';

/** One forward with what goes through it, as programs get it; rates are for each second. */
export interface TopRow {
  readonly forward: string;
  readonly name: string | null;
  readonly router: string;
  readonly protocol: string;
  readonly external: string;
  readonly internal: string;
  readonly live: number;
  readonly connections_per_second: number;
  readonly packets_in_per_second: number | null;
  readonly bytes_in_per_second: number | null;
  readonly packets_out_per_second: number | null;
  readonly bytes_out_per_second: number | null;
}

/** Forwards that have been removed meanwhile are left out. */
export function rowsOf(rates: readonly ForwardRates[], forwards: ReadonlyMap<string, Forward>): readonly TopRow[] {
  return rates.flatMap((rate) => {
    const forward = forwards.get(rate.forward);
    return forward === undefined ? [] : [rowOf(rate, forward)];
  });
}

function rowOf(rate: ForwardRates, forward: Forward): TopRow {
  return {
    forward: forward.id,
    name: forward.name,
    router: forward.router,
    protocol: forward.protocol,
    external: externalEndpoint(forward),
    internal: internalEndpoint(forward),
    live: rate.live,
    connections_per_second: round(rate.connections),
    packets_in_per_second: rate.packets_in === null ? null : round(rate.packets_in),
    bytes_in_per_second: rate.bytes_in === null ? null : round(rate.bytes_in),
    packets_out_per_second: rate.packets_out === null ? null : round(rate.packets_out),
    bytes_out_per_second: rate.bytes_out === null ? null : round(rate.bytes_out),
  };
}

/** More digits than this are not known. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export const SORT_KEYS = ['live', 'new', 'in', 'out', 'name'] as const;
export type SortKey = (typeof SORT_KEYS)[number];

const BUSY: Readonly<Record<Exclude<SortKey, 'name'>, (row: TopRow) => number>> = {
  live: (row) => row.live,
  new: (row) => row.connections_per_second,
  in: (row) => row.bytes_in_per_second ?? 0,
  out: (row) => row.bytes_out_per_second ?? 0,
};

/** The busiest first, names in alphabetical order; equal ones always in the same order. */
export function sortRows(rows: readonly TopRow[], key: SortKey, reversed = false): readonly TopRow[] {
  const byName = (a: TopRow, b: TopRow) => compare(labelOf(a), labelOf(b)) || compare(a.forward, b.forward);
  const order = key === 'name' ? () => 0 : (a: TopRow, b: TopRow) => BUSY[key](b) - BUSY[key](a);
  const sign = reversed ? -1 : 1;
  return rows.toSorted((a, b) => sign * order(a, b) || (key === 'name' ? sign : 1) * byName(a, b));
}

/** What people call it. */
export function labelOf({ name, forward }: Pick<TopRow, 'name' | 'forward'>): string {
  return name ?? forward;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
