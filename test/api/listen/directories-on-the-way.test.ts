import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directoriesOnTheWay } from '../../../src/api/listen/directories-on-the-way.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hatoba-way-')));
  for (const name of ['a', 'a/b', 'c']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'a/b/file'), '');
});
afterEach(() => rmSync(root, { recursive: true }));

/** Below the root, in order; what is above it may have links of its own. */
async function way(path: string): Promise<readonly string[]> {
  const found = await directoriesOnTheWay(join(root, path));
  return found.map((directory) => directory.slice(root.length + 1)).sort();
}

test.each<[string, Readonly<Record<string, string>>, string, readonly string[]]>([
  ['a plain file', {}, 'a/b/file', ['a/b']],
  ['a file that is missing', {}, 'a/b/nothing', ['a/b']],
  ['a directory that is missing', {}, 'a/nothing/file', ['a']],
  ['a link to a file', { 'c/link': '../a/b/file' }, 'c/link', ['a/b', 'c']],
  ['a link to a directory', { current: 'a/b' }, 'current/file', ['', 'a/b']],
  ['a link to a directory further up', { current: 'a' }, 'current/b/file', ['', 'a/b']],
  ['links to links', { 'c/link': '../second/b/file', second: 'a' }, 'c/link', ['', 'a/b', 'c']],
  ['a link to nothing', { 'c/link': '../a/nothing/file' }, 'c/link', ['a', 'c']],
  ['a link called missing', { missing: 'a/b', 'c/link': '../missing' }, 'c/link/file', ['', 'a/b', 'c']],
])('of %s', async (_name, links, path, expected) => {
  for (const [link, target] of Object.entries(links)) symlinkSync(target, join(root, link));
  expect(await way(path)).toEqual(expected);
});

test('a link to itself has an end', async () => {
  symlinkSync('loop', join(root, 'loop'));
  expect(await way('loop/file')).toContain('');
});
