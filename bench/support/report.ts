/** One line of the table: what was measured, and what it is held against. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly against: string;
  readonly target: string;
  readonly met: boolean;
}

/** A benchmark: takes its time, tells how it gets on, and gives lines for the table. */
export type Benchmark = (tell: (line: string) => void) => Promise<readonly Row[]>;

const TITLES = ['What', 'Measured', 'Held against', 'Target', 'Met'] as const;

/** As a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, measured, against, target, met }) => [
    what,
    measured,
    against,
    target,
    met ? 'yes' : '**no**',
  ]);
  const widths = TITLES.map((title, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(TITLES), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

export function milliseconds(value: number): string {
  return value >= 100 ? `${value.toFixed(0)} ms` : `${value.toFixed(2)} ms`;
}

/** A row for "this many times the baseline". */
export function ratioRow(
  what: string,
  measured: number,
  baseline: { readonly name: string; readonly value: number },
  limit: { readonly text: string; readonly holds: (ratio: number) => boolean },
): Row {
  const ratio = measured / baseline.value;
  return {
    what,
    measured: milliseconds(measured),
    against: `${baseline.name}: ${milliseconds(baseline.value)} (ratio ${ratio.toFixed(2)})`,
    target: limit.text,
    met: limit.holds(ratio),
  };
}
