import type { Token } from '../../client/operations.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { shortenIds } from '../output/ids.ts';
import { type ListingFormat, printListing } from '../output/listing.ts';
import type { Column } from '../output/table.ts';

export interface ListFlags extends DaemonFlags {
  readonly output: ListingFormat;
}

type TokenColumn = Column<Token>;

const id: TokenColumn = { title: 'id', cell: (token) => token.id };
const name: TokenColumn = { title: 'name', cell: (token) => token.name };
const role: TokenColumn = { title: 'role', cell: (token) => token.role };
const project: TokenColumn = { title: 'project', cell: (token) => token.project ?? '' };
const state: TokenColumn = {
  title: 'state',
  cell: (token) => token.state,
  colour: (token) => (token.state === 'valid' ? 'green' : 'grey'),
};
const expiresAt: TokenColumn = { title: 'expires_at', cell: (token) => token.expires_at ?? '' };
const createdBy: TokenColumn = { title: 'created_by', cell: (token) => token.created_by };
const createdAt: TokenColumn = { title: 'created_at', cell: (token) => token.created_at };

const WIDE = [id, name, role, project, state, expiresAt, createdBy, createdAt];

export async function list(this: CliContext, flags: ListFlags): Promise<void> {
  const rows = await createClient(this, flags).listTokens();
  const short = shortenIds(rows.map((token) => token.id));
  const shortId: TokenColumn = { title: 'id', cell: (token) => short.get(token.id) ?? token.id };
  await printListing(this, flags.output, {
    rows,
    table: [shortId, name, role, project, state, expiresAt],
    wide: WIDE,
    csv: WIDE,
    empty: 'there are no API tokens; `hatoba token create NAME` makes one',
  });
}
