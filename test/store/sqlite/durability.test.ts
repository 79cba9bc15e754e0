import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const COMMITTER = fileURLToPath(new URL('./twenty-commits.ts', import.meta.url));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-durability-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** How often a process that makes 20 commits like this one asks the kernel to write to the disk. */
function syncsOfTwentyCommits(kind: 'durable' | 'passing'): number {
  const [log, database] = [join(directory, 'strace'), join(directory, 'db')];
  const traced = ['--follow-forks', '--trace=fsync,fdatasync', `--output=${log}`];
  execFileSync('strace', [...traced, process.execPath, COMMITTER, database, kind], { stdio: 'ignore' });
  return readFileSync(log, 'utf8').match(/f(?:data)?sync\(\d+\)\s+= 0/g)?.length ?? 0;
}

test('every durable commit is brought to the disk, and no other', () => {
  const passing = syncsOfTwentyCommits('passing');
  rmSync(join(directory, 'db'));
  expect(syncsOfTwentyCommits('durable')).toBeGreaterThanOrEqual(passing + 20);
});
