import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import { visible } from '../output/text.ts';
import { timed } from '../progress.ts';
import { forEachReference } from './each.ts';
import { type ChangeFlags, formatElapsed, nameForward, waitOf } from './report.ts';

export interface RemoveFlags extends Omit<ChangeFlags, 'output'> {
  readonly drain?: boolean;
}

export async function remove(this: CliContext, flags: RemoveFlags, ...references: readonly string[]): Promise<void> {
  const wait = waitOf(flags);
  const client = createClient(this, flags);
  await forEachReference(this, references, async (reference) => {
    const forward = await client.getForward(reference);
    // By its whole id: what the reference meant when it was read is what goes.
    const { value, elapsedMs } = await timed(this, 'the kernel', () => {
      return client.removeForward(forward.id, wait, flags.drain);
    });
    const outcome = value.applied ? `removed after ${formatElapsed(elapsedMs)}` : 'removed';
    const rest = flags.drain === true ? '; its connections go on until they end' : '';
    const line = `forward ${nameForward(forward)} is ${outcome}${rest}`;
    this.process.stdout.write(flags.quiet === true ? `${forward.id}\n` : `${visible(line)}\n`);
    if (value.applied || flags.noWait === true) return;
    throw hatobaError('removal_timed_out', { value: nameForward(forward), seconds: (elapsedMs / 1000).toFixed(1) });
  });
}
