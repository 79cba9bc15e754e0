import type { Status } from '../../client/operations.ts';
import type { ScreenSize } from '../context.ts';
import { shortenIds, shortenRouter } from '../output/ids.ts';
import { displayWidth, padding, visible } from '../output/text.ts';
import { countStates } from '../status/show.ts';
import { formatCount, formatRate } from './numbers.ts';
import type { ForwardRates } from './rates.ts';
import { type SortKey, sortRows, type TopRow } from './rows.ts';

/** Everything that is on the screen. */
export interface TopView {
  readonly status: Status;
  readonly rows: readonly TopRow[];
  readonly total: Omit<ForwardRates, 'forward'>;
  readonly sort: SortKey;
  readonly reversed: boolean;
  /** In seconds. */
  readonly interval: number;
  /** What keeps the numbers from being those of now. */
  readonly trouble: string | null;
}

/** The keys that choose what is sorted by. */
export const KEYS: Readonly<Record<string, SortKey>> = Object.freeze({
  l: 'live',
  n: 'new',
  i: 'in',
  o: 'out',
  f: 'name',
});

interface TopColumn {
  readonly title: string;
  readonly cell: (row: TopRow) => string;
  readonly isNumber?: true;
}

const CONNECTIONS: readonly TopColumn[] = [
  { title: 'LIVE', cell: (row) => formatCount(row.live), isNumber: true },
  { title: 'NEW/S', cell: (row) => formatRate(row.connections_per_second), isNumber: true },
];

const TRAFFIC: readonly TopColumn[] = [
  { title: 'IN PKT/S', cell: (row) => rateOrNothing(row.packets_in_per_second), isNumber: true },
  { title: 'IN B/S', cell: (row) => rateOrNothing(row.bytes_in_per_second), isNumber: true },
  { title: 'OUT PKT/S', cell: (row) => rateOrNothing(row.packets_out_per_second), isNumber: true },
  { title: 'OUT B/S', cell: (row) => rateOrNothing(row.bytes_out_per_second), isNumber: true },
];

const PLACES: readonly TopColumn[] = [
  { title: 'OUTSIDE', cell: (row) => `${row.external}/${row.protocol}` },
  { title: 'INSIDE', cell: (row) => row.internal },
  { title: 'ROUTER', cell: (row) => shortenRouter(row.router) },
];

/** So that a long name leaves room for what is counted. */
const WIDEST_NAME = 24;

/** Which of the lines has the titles of the columns. */
export const HEADING = 3;

/** The lines of the screen, none wider and no more than it is. */
export function drawTop(view: TopView, { columns, rows: height }: ScreenSize): readonly string[] {
  const room = Math.max(0, height - HEADING - 1);
  const shown = sortRows(view.rows, view.sort, view.reversed).slice(0, room);
  const hidden = view.rows.length - shown.length;
  const lines = [...header(view, hidden), ...table(columnsOf(view), shown, columns)];
  return lines.slice(0, height).map((line) => cut(line, columns));
}

function columnsOf({ rows, total }: TopView): readonly TopColumn[] {
  const short = shortenIds(rows.map(({ forward }) => forward));
  const name: TopColumn = {
    title: 'FORWARD',
    cell: (row) => cut(visible(row.name ?? short.get(row.forward) ?? row.forward), WIDEST_NAME),
  };
  return [name, ...CONNECTIONS, ...(total.bytes_in === null ? [] : TRAFFIC), ...PLACES];
}

function header({ status, total, sort, reversed, interval, trouble }: TopView, hidden: number): readonly string[] {
  const { live, connections, packets_in, bytes_in, packets_out, bytes_out } = total;
  const traffic = [direction('in', packets_in, bytes_in), direction('out', packets_out, bytes_out)].join('');
  const order = `by ${sort}${reversed ? ', reversed' : ''}`;
  const more = hidden > 0 ? `; ${hidden} more below` : '';
  return [
    `hatoba ${status.version} on ${status.node}: routers ${status.routers}, forwards ${countStates(status.forwards)}`,
    `live ${formatCount(live)}   new ${formatRate(connections)}/s${traffic || '   packets and bytes are not counted'}`,
    trouble ??
      `every ${interval} s, ${order}${more}   l n i o f: sort by live, new, in, out, name   r: reverse   q: quit`,
  ].map(visible);
}

function direction(name: string, packets: number | null, bytes: number | null): string {
  if (packets === null || bytes === null) return '';
  return `   ${name} ${formatRate(packets)} pkt/s ${formatRate(bytes)} B/s`;
}

/** The titles are as wide as the screen, so that they stand out over its whole width. */
function table(columns: readonly TopColumn[], rows: readonly TopRow[], width: number): readonly string[] {
  const cells = columns.map(({ cell }) => rows.map((row) => visible(cell(row))));
  const widths = columns.map(({ title }, column) => Math.max(title.length, ...(cells[column] ?? []).map(displayWidth)));
  const line = (texts: readonly string[]) =>
    texts.map((text, column) => align(text, widths[column] ?? 0, columns[column]?.isNumber === true)).join('  ');
  const titles = line(columns.map(({ title }) => title));
  const body = rows.map((_, row) => line(cells.map((column) => column[row] ?? '')).trimEnd());
  return [titles + padding(width, titles), ...body];
}

function align(text: string, width: number, isNumber: boolean): string {
  return isNumber ? padding(width, text) + text : text + padding(width, text);
}

function rateOrNothing(value: number | null): string {
  return value === null ? '-' : formatRate(value);
}

/** What is left out leaves a mark. */
function cut(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  let [text, used] = ['', 0];
  for (const character of line) {
    used += displayWidth(character);
    if (used > width - 1) break;
    text += character;
  }
  return width < 1 ? '' : `${text}…`;
}
