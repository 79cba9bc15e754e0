import { open, readFile, rename, rm } from 'node:fs/promises';
import type { UsageMemory, Use } from '../agent/usage-memory.ts';
import { isUuid } from '../model/ids.ts';

/** So many lines are written in one go, and others get their turn in between. */
const PIECE = 2_000;
const LINE = /^(\S+) (\d{1,16}) (\d{1,16}|-)$/;

/**
 * A line for each forward: its id, what its counters came to, and when (milliseconds since 1970, `-`: not known). The file
 * is replaced as a whole; one that is not there, and lines that cannot be read, tell of nothing.
 */
export function openUsageFile(file: string): UsageMemory {
  return {
    async recall() {
      const text = await readFile(file, 'utf8').catch(noneIfMissing);
      return text.split('\n').flatMap(readLine);
    },

    async remember(uses) {
      const draft = `${file}.new`;
      {
        // What another user may have put there is not written through.
        await rm(draft, { force: true });
        await using handle = await open(draft, 'wx', 0o600);
        for (const piece of piecesOf(uses)) await handle.appendFile(piece);
      }
      await rename(draft, file);
    },
  };
}

function* piecesOf(uses: Iterable<Use>): Generator<string, void> {
  let lines: string[] = [];
  for (const { forward, sum, risen } of uses) {
    lines.push(`${forward} ${sum} ${risen ?? '-'}\n`);
    if (lines.length < PIECE) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

function readLine(line: string): readonly Use[] {
  const [, forward = '', sum, risen] = LINE.exec(line) ?? [];
  return isUuid(forward) ? [{ forward, sum: Number(sum), risen: risen === '-' ? null : Number(risen) }] : [];
}

function noneIfMissing(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}
