import type { Router } from '../../client/operations.ts';
import { isUuid } from '../../model/ids.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { shortenIds } from '../output/ids.ts';
import { type ListingFormat, printListing } from '../output/listing.ts';
import type { Column } from '../output/table.ts';

export interface ListFlags extends DaemonFlags {
  readonly output: ListingFormat;
}

type RouterColumn = Column<Router>;

const id: RouterColumn = { title: 'id', cell: (router) => router.id };
const gateways: RouterColumn = { title: 'gateways', cell: (router) => router.gateways.join(' ') };
const forwards: RouterColumn = { title: 'forwards', cell: (router) => String(router.forwards) };
const nodes: RouterColumn = { title: 'nodes', cell: (router) => router.nodes.map((on) => on.node).join(' ') };
const instances: RouterColumn = {
  title: 'instances',
  cell: (router) => [...new Set(router.nodes.flatMap((on) => on.instances))].join(' '),
};
const problems: RouterColumn = {
  title: 'problems',
  cell: (router) => String(router.nodes.reduce((sum, on) => sum + on.problems, 0)),
  colour: (router) => (router.nodes.some((on) => on.problems > 0) ? 'red' : 'green'),
};
const error: RouterColumn = {
  title: 'error',
  cell: (router) => router.nodes.flatMap((on) => on.error ?? []).join('; '),
  colour: () => 'red',
};

const WIDE = [id, gateways, forwards, nodes, instances, problems, error];

export async function list(this: CliContext, flags: ListFlags): Promise<void> {
  const rows = await createClient(this, flags).listRouters();
  const short = shortenIds(rows.map((router) => router.id).filter(isUuid));
  const shortId: RouterColumn = { title: 'id', cell: (router) => short.get(router.id) ?? router.id };
  await printListing(this, flags.output, {
    rows,
    table: [shortId, gateways, forwards, nodes, problems, error],
    wide: WIDE,
    csv: WIDE,
    empty: 'no node has a router yet; they are found by themselves when their namespaces appear',
  });
}
