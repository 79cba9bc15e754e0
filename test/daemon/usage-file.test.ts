import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openUsageFile } from '../../src/daemon/usage-file.ts';
import { idOf } from '../model/arbitraries.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-usage-'));
  file = join(directory, 'hatoba.db.usage');
});

afterEach(() => rmSync(directory, { recursive: true }));

test('gives back what was remembered last, and no more', async () => {
  const memory = openUsageFile(file);
  expect(await memory.recall()).toEqual([]);
  const uses = Array.from({ length: 5_000 }, (_, at) => ({
    forward: idOf(at),
    sum: at,
    risen: at % 2 === 0 ? null : 1_800_000_000_000 + at,
  }));
  await memory.remember(uses);
  expect(await openUsageFile(file).recall()).toEqual(uses);
  await memory.remember(uses.slice(0, 1));
  expect(await memory.recall()).toEqual(uses.slice(0, 1));
  expect(readdirSync(directory)).toEqual(['hatoba.db.usage']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('leaves out lines that cannot be read', async () => {
  const memory = openUsageFile(file);
  const use = { forward: idOf(1), sum: 7, risen: 9 };
  await memory.remember([use]);
  const [line = ''] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, ['', 'x 1 2', `${idOf(2)} 1`, `${idOf(3)} -1 2`, line, line.slice(0, 20)].join('\n'));
  expect(await memory.recall()).toEqual([use]);
});

test('says what is wrong with the file', async () => {
  mkdirSync(file);
  await expect(openUsageFile(file).recall()).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(openUsageFile(file).remember([])).rejects.toMatchObject({ code: 'EISDIR' });
});
