import { setTimeout as sleep } from 'node:timers/promises';
import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { completeRouter } from '../forwards/input.ts';
import { type ListingFormat, printListing } from '../output/listing.ts';
import { CSV, TABLE, WIDE } from './columns.ts';
import { compareLooks, createObserver } from './look.ts';
import { type SortKey, sortRows } from './rows.ts';
import { watchTop } from './watch.ts';

export interface TopFlags extends DaemonFlags {
  readonly router?: string;
  readonly interval?: string;
  readonly sort: SortKey;
  readonly once?: boolean;
  readonly output?: ListingFormat;
}

const USUAL_INTERVAL = 2;
const [SHORTEST_INTERVAL, LONGEST_INTERVAL] = [0.1, 3600];
/** Beyond this the screen says that the daemon does not answer. */
const PATIENCE_MS = 10_000;

export async function showTop(this: CliContext, flags: TopFlags): Promise<void> {
  const interval = readInterval(flags.interval);
  const client = createClient(this, flags, PATIENCE_MS);
  const router = flags.router === undefined ? undefined : await completeRouter(client, flags.router);
  const observer = createObserver(client, router);
  const first = await observer.look();
  const isWatched = flags.once !== true && flags.output === undefined && this.openScreen !== undefined;
  if (isWatched && this.openScreen !== undefined) {
    using screen = await this.openScreen();
    return await watchTop(screen, observer, first, { interval, sort: flags.sort });
  }
  await sleep(interval * 1000);
  const { rows } = compareLooks(first, await observer.look());
  await printListing(this, flags.output ?? 'table', {
    rows: sortRows(rows, flags.sort),
    table: TABLE,
    wide: WIDE,
    csv: CSV,
    empty: 'no forward is in the kernel of this node',
  });
}

/** Error: `usage_malformed`. */
function readInterval(text: string | undefined): number {
  const seconds = text === undefined ? USUAL_INTERVAL : /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds >= SHORTEST_INTERVAL && seconds <= LONGEST_INTERVAL) return seconds;
  const reason = `--interval: ${text} is not a number of seconds from ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL}`;
  throw hatobaError('usage_malformed', { reason });
}
