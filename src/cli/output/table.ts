import { displayWidth, padding, visible } from './text.ts';

export type Colour = 'green' | 'yellow' | 'red' | 'grey';

/** ECMA-48 "select graphic rendition" parameters. */
const PARAMETERS: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, grey: 90 };

export interface Column<Row> {
  /** The key that the same value has in JSON. */
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly colour?: (row: Row) => Colour;
}

/** Lines with the titles in capitals and the columns aligned, each ended. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], coloured: boolean): string {
  const texts = columns.map((column) => rows.map((row) => visible(column.cell(row)) || '-'));
  const titles = columns.map((column) => column.title.toUpperCase());
  const widths = texts.map((cells, index) => cells.reduce(wider, displayWidth(titles[index] ?? '')));
  const line = (cells: readonly string[], paint: (text: string, column: number) => string): string => {
    const padded = cells.map((text, column) => `${paint(text, column)}${padding(widths[column] ?? 0, text)}`);
    return `${padded.join('  ').trimEnd()}\n`;
  };
  const body = rows.map((row, index) => {
    const cells = texts.map((column) => column[index] ?? '');
    return line(cells, (text, column) => {
      const colour = coloured ? columns[column]?.colour?.(row) : undefined;
      return colour === undefined ? text : `\u001b[${PARAMETERS[colour]}m${text}\u001b[0m`;
    });
  });
  return line(titles, (title) => title) + body.join('');
}

/** `key: value` lines with the values aligned, each ended. */
export function formatPairs(pairs: readonly (readonly [key: string, value: string])[]): string {
  const width = pairs.reduce((widest, [key]) => Math.max(widest, key.length + 1), 0);
  return pairs.map(([key, value]) => `${key}:${padding(width, `${key}:`)}  ${visible(value) || '-'}\n`).join('');
}

function wider(width: number, text: string): number {
  return Math.max(width, displayWidth(text));
}
