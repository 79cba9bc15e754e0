import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { completeRouter } from '../forwards/input.ts';
import { waitOf } from '../forwards/report.ts';
import type { DocumentFormat } from '../output/listing.ts';
import { timed } from '../progress.ts';
import { readInput } from './input.ts';
import { reportChanges } from './report.ts';
import { readWishFile } from './wish-file.ts';

export interface ApplyFlags extends DaemonFlags {
  readonly file: string;
  readonly router?: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly all?: boolean;
  readonly wait?: string;
  readonly noWait?: boolean;
  readonly output?: DocumentFormat;
}

export async function apply(this: CliContext, flags: ApplyFlags): Promise<void> {
  const wait = waitOf(flags);
  const prune = pruneOf(flags);
  const file = await readWishFile(flags.file, await readInput(this, flags.file));
  const client = createClient(this, flags);
  const router = flags.router ?? file.router;
  try {
    const request = {
      forwards: file.forwards,
      ...(router === undefined ? {} : { router: await completeRouter(client, router) }),
      ...(prune === undefined ? {} : { prune }),
      ...(flags.dryRun === true ? { dry_run: true } : {}),
    };
    const { value, elapsedMs } = await timed(this, 'the daemon', () => client.apply(request, wait));
    await reportChanges(this, flags, value, elapsedMs);
  } catch (error) {
    throw await file.locate(error);
  }
}

function pruneOf({ prune, all }: ApplyFlags): 'routers' | 'all' | undefined {
  if (all !== true) return prune === true ? 'routers' : undefined;
  if (prune === true) return 'all';
  throw hatobaError('usage_malformed', { reason: '--all says what --prune removes, and goes with it only' });
}
