import type { Node } from '../../client/operations.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { type ListingFormat, printListing } from '../output/listing.ts';
import type { Column } from '../output/table.ts';

export interface ListFlags extends DaemonFlags {
  readonly output: ListingFormat;
}

type NodeColumn = Column<Node>;

const red = (count: number) => (count > 0 ? 'red' : 'green');

const name: NodeColumn = { title: 'name', cell: (node) => node.name };
const routers: NodeColumn = { title: 'routers', cell: (node) => String(node.routers) };
const inError: NodeColumn = {
  title: 'errors',
  cell: (node) => String(node.routers_in_error),
  colour: (node) => red(node.routers_in_error),
};
const problems: NodeColumn = {
  title: 'problems',
  cell: (node) => String(node.problems),
  colour: (node) => red(node.problems),
};
const lastTold: NodeColumn = { title: 'last_told', cell: (node) => node.last_told ?? '' };
const version: NodeColumn = { title: 'version', cell: (node) => node.version ?? '' };
const driver: NodeColumn = { title: 'driver', cell: (node) => node.driver ?? '' };
const roles: NodeColumn = { title: 'roles', cell: (node) => (node.roles ?? []).join(' ') };
const startedAt: NodeColumn = { title: 'started_at', cell: (node) => node.started_at ?? '' };

const TABLE = [name, routers, inError, problems, lastTold, version];
const WIDE = [...TABLE, roles, driver, startedAt];

const CSV = [...WIDE, { title: 'answers', cell: (node: Node) => String(node.answers) }];

export async function list(this: CliContext, flags: ListFlags): Promise<void> {
  const rows = await createClient(this, flags).listNodes();
  await printListing(this, flags.output, { rows, table: TABLE, wide: WIDE, csv: CSV, empty: 'there is no node' });
}
