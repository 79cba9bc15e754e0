import type { RecoverResult } from '../../client/operations.ts';
import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { completeRouter } from '../forwards/input.ts';
import { formatElapsed } from '../forwards/report.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';
import { timed } from '../progress.ts';
import { changeLine } from '../transfer/report.ts';

export interface RecoverFlags extends DaemonFlags {
  readonly router?: string;
  readonly dryRun?: boolean;
  readonly wait?: string;
  readonly output?: DocumentFormat;
}

/** Errors: the API's, and `recover_incomplete` where something was left. */
export async function recoverForwards(this: CliContext, flags: RecoverFlags): Promise<void> {
  const client = createClient(this, flags);
  const request = {
    ...(flags.router === undefined ? {} : { router: await completeRouter(client, flags.router) }),
    ...(flags.dryRun === true ? { dry_run: true } : {}),
  };
  const { value, elapsedMs } = await timed(this, 'the kernel', () => client.recover(request, flags.wait));
  if (flags.output === undefined) printRecovery(this, value, elapsedMs);
  else await printDocument(this, flags.output, value);
  const { changes, left } = value;
  if (left.length > 0) {
    throw hatobaError('recover_incomplete', { count: left.length, total: changes.length + left.length });
  }
}

function printRecovery({ process }: CliContext, result: RecoverResult, elapsedMs: number): void {
  const { changes, left, dry_run: dryRun } = result;
  const lines = [
    ...changes.map((change) => `${changeLine(change)} (${change.id})`),
    ...left.map(({ id, router, reason }) => `! ${id} on ${router}: ${reason}`),
    dryRun ? `${count(changes.length)} to make` : `${count(changes.length)} made after ${formatElapsed(elapsedMs)}`,
  ];
  process.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''));
}

function count(number: number): string {
  return `${number} forward${number === 1 ? '' : 's'}`;
}
