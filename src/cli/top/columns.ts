import type { Column } from '../output/table.ts';
import { formatRate } from './numbers.ts';
import { labelOf, type TopRow } from './rows.ts';

type RowColumn = Column<TopRow>;

const exact = (title: keyof TopRow): RowColumn => ({ title, cell: (row) => String(row[title] ?? '') });
const rate = (title: keyof TopRow): RowColumn => ({
  title,
  cell: (row) => (typeof row[title] === 'number' ? formatRate(row[title]) : ''),
});

const WHAT = (['forward', 'name', 'router', 'protocol', 'external', 'internal', 'live'] as const).map(exact);

const RATES = [
  'connections_per_second',
  'packets_in_per_second',
  'bytes_in_per_second',
  'packets_out_per_second',
  'bytes_out_per_second',
] as const;

export const TABLE: readonly RowColumn[] = [
  { title: 'forward', cell: labelOf },
  exact('protocol'),
  exact('external'),
  exact('internal'),
  exact('live'),
  { ...rate('connections_per_second'), title: 'new/s' },
  { ...rate('bytes_in_per_second'), title: 'in B/s' },
  { ...rate('bytes_out_per_second'), title: 'out B/s' },
];

export const WIDE: readonly RowColumn[] = [...WHAT, ...RATES.map(rate)];

export const CSV: readonly RowColumn[] = [...WHAT, ...RATES.map(exact)];
