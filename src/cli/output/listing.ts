import { type CliContext, mayColour } from '../context.ts';
import { formatCsv } from './csv.ts';
import { formatJson, formatYaml } from './document.ts';
import { type Column, formatPairs, formatTable } from './table.ts';
import { visible } from './text.ts';

export const LISTING_FORMATS = ['table', 'wide', 'json', 'yaml', 'csv'] as const;
export type ListingFormat = (typeof LISTING_FORMATS)[number];

export const DOCUMENT_FORMATS = ['json', 'yaml'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** The API's objects and how they look to people. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly table: readonly Column<Row>[];
  readonly wide: readonly Column<Row>[];
  readonly csv: readonly Column<Row>[];
  /** Said in place of a table without rows. */
  readonly empty: string;
}

/** Writes the objects in the form asked for; programs get an empty list where people get a sentence. */
export async function printListing<Row>(
  context: CliContext,
  format: ListingFormat,
  listing: Listing<Row>,
): Promise<void> {
  const { stdout, stderr } = context.process;
  if (format === 'json' || format === 'yaml') return printDocument(context, format, listing.rows);
  if (format === 'csv') {
    // In a file the fields are what users wrote; on a terminal they must not steer it.
    const field = stdout.isTTY === true ? visible : (text: string) => text;
    const fields = listing.rows.map((row) => listing.csv.map((column) => field(column.cell(row))));
    stdout.write(formatCsv(titles(listing.csv), fields));
  } else if (listing.rows.length === 0) stderr.write(`${listing.empty}\n`);
  else stdout.write(formatTable(listing[format], listing.rows, mayColour(context, stdout)));
}

/** Writes one value as JSON or YAML. */
export async function printDocument(context: CliContext, format: DocumentFormat, value: unknown): Promise<void> {
  context.process.stdout.write(format === 'json' ? formatJson(value) : await formatYaml(value));
}

/** Writes `key: value` lines, and a table below them if there is one with rows. */
export function printDetails<Row>(
  context: CliContext,
  pairs: readonly (readonly [key: string, value: string])[],
  table?: { readonly title: string; readonly columns: readonly Column<Row>[]; readonly rows: readonly Row[] },
): void {
  const { stdout } = context.process;
  stdout.write(formatPairs(pairs));
  if (table === undefined || table.rows.length === 0) return;
  const lines = formatTable(table.columns, table.rows, mayColour(context, stdout));
  stdout.write(`${table.title}:\n${lines.replaceAll(/^/gm, '  ').trimEnd()}\n`);
}

function titles<Row>(columns: readonly Column<Row>[]): readonly string[] {
  return columns.map((column) => column.title);
}
