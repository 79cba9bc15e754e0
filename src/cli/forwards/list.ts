import type { Forward } from '../../client/operations.ts';
import type { ForwardState } from '../../model/status.ts';
import { createClient, type ForwardFilter } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { inWords } from '../errors.ts';
import { shortenIds, shortenRouter } from '../output/ids.ts';
import { type ListingFormat, printListing } from '../output/listing.ts';
import { STATE_COLOURS } from '../output/states.ts';
import type { Column } from '../output/table.ts';
import { completeRouter } from './input.ts';
import { externalEndpoint, internalEndpoint } from './report.ts';

/** Ascending. */
export type ForwardSort = Exclude<ForwardFilter['sort'], `-${string}` | undefined>;

export interface ListFlags extends DaemonFlags {
  readonly output: ListingFormat;
  readonly router?: string;
  readonly state?: ForwardState;
  readonly project?: string;
  readonly name?: string;
  readonly protocol?: string;
  readonly internal?: string;
  readonly label?: string;
  readonly sort: ForwardSort;
  readonly reverse?: boolean;
}

type ForwardColumn = Column<Forward>;

const id: ForwardColumn = { title: 'id', cell: (forward) => forward.id };
const name: ForwardColumn = { title: 'name', cell: (forward) => forward.name ?? '' };
const router: ForwardColumn = { title: 'router', cell: (forward) => forward.router };
const protocol: ForwardColumn = { title: 'protocol', cell: (forward) => forward.protocol };
const external: ForwardColumn = { title: 'external', cell: externalEndpoint };
const internal: ForwardColumn = { title: 'internal', cell: internalEndpoint };
const message: ForwardColumn = { title: 'message', cell: (forward) => forward.status.message ?? '' };
const description: ForwardColumn = { title: 'description', cell: (forward) => forward.description ?? '' };
const projectId: ForwardColumn = { title: 'project_id', cell: (forward) => forward.project_id ?? '' };
const expiresAt: ForwardColumn = { title: 'expires_at', cell: (forward) => forward.expires_at ?? '' };
const state: ForwardColumn = {
  title: 'state',
  cell: (forward) => forward.status.state,
  colour: (forward) => STATE_COLOURS[forward.status.state],
};

const warnings: ForwardColumn = {
  title: 'warnings',
  cell: ({ status }) => (status.warnings.length === 0 ? '' : String(status.warnings.length)),
  colour: () => 'yellow',
};

const WIDE = [
  id,
  name,
  router,
  protocol,
  external,
  internal,
  state,
  message,
  warnings,
  expiresAt,
  projectId,
  description,
];

const CSV: readonly ForwardColumn[] = [
  id,
  name,
  description,
  projectId,
  router,
  protocol,
  { title: 'external_address', cell: (forward) => forward.external_address },
  { title: 'external_port', cell: (forward) => forward.external_port },
  { title: 'internal_address', cell: (forward) => forward.internal_address },
  { title: 'internal_port', cell: (forward) => forward.internal_port },
  { title: 'enabled', cell: (forward) => String(forward.enabled) },
  expiresAt,
  { title: 'revision', cell: (forward) => String(forward.revision) },
  { title: 'created_at', cell: (forward) => forward.created_at },
  { title: 'updated_at', cell: (forward) => forward.updated_at },
  state,
  message,
  { title: 'warnings', cell: (forward) => forward.status.warnings.join('; ') },
];

const WORDS = { router: '--router', protocol: '--protocol', internal_address: '--internal', label: '--label' };

export async function list(this: CliContext, flags: ListFlags): Promise<void> {
  const client = createClient(this, flags);
  const filter: ForwardFilter = {
    router: flags.router === undefined ? undefined : await completeRouter(client, flags.router),
    state: flags.state,
    project_id: flags.project,
    name: flags.name,
    protocol: flags.protocol,
    internal_address: flags.internal,
    label: flags.label,
  };
  const rows = await client.listForwards({ ...filter, sort: orderOf(flags) }).catch((error: unknown) => {
    throw inWords(WORDS, error);
  });
  const filtered = Object.values(filter).some((value) => value !== undefined);
  await printListing(this, flags.output, {
    rows,
    table: shortColumns(rows),
    wide: WIDE,
    csv: CSV,
    empty: filtered
      ? 'no forward is of that kind'
      : 'there are no forwards yet; `hatoba forward add 5001 192.168.50.11:22` makes one',
  });
}

function orderOf({ sort, reverse }: ListFlags): ForwardFilter['sort'] {
  return reverse === true ? `-${sort}` : sort;
}

function shortColumns(rows: readonly Forward[]): readonly ForwardColumn[] {
  const short = shortenIds(rows.map((forward) => forward.id));
  const shortId: ForwardColumn = { title: 'id', cell: (forward) => short.get(forward.id) ?? forward.id };
  const shortRouter: ForwardColumn = { title: 'router', cell: (forward) => shortenRouter(forward.router) };
  return [shortId, name, shortRouter, protocol, external, internal, state];
}
