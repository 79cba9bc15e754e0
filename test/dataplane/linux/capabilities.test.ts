import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { printCapabilities } from '../../../src/dataplane/linux/capabilities.ts';

const PAGE = join(import.meta.dirname, '../../../docs/backends.md');
const TABLE = /(?<=## What each can do\n\n)(?:\|.*\n)+/;

/** The page's table; with UPDATE_DOCS=1 it is what it should be. */
function documented(current: string): string {
  const page = readFileSync(PAGE, 'utf8');
  if (process.env['UPDATE_DOCS'] === '1')
    writeFileSync(
      PAGE,
      page.replace(TABLE, () => current),
    );
  return TABLE.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '';
}

test('the page has the table of what each backend can do', () => {
  const table = printCapabilities();
  expect(documented(table)).toBe(table);
});

test('a row says yes, or what is instead', () => {
  const [, , ...rows] = printCapabilities().trim().split('\n');
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) expect(row).toMatch(/^\| [^|]+ \| (yes|[^|]{5,}) \| (yes|[^|]{5,}) \|$/);
});
