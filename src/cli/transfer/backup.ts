import { HatobaError, hatobaError, reasonOf } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { waitOf } from '../forwards/report.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { timed } from '../progress.ts';
import { readInput } from './input.ts';
import { reportChanges } from './report.ts';

export interface BackupFlags extends DaemonFlags {}

export interface RestoreFlags extends BackupFlags {
  readonly replace?: boolean;
  readonly wait?: string;
  readonly noWait?: boolean;
  readonly output?: DocumentFormat;
}

export async function backup(this: CliContext, flags: BackupFlags): Promise<void> {
  await printDocument(this, 'json', await createClient(this, flags).getBackup());
}

export async function restore(this: CliContext, flags: RestoreFlags): Promise<void> {
  const wait = waitOf(flags);
  const document = parse(await readInput(this, '-'));
  const client = createClient(this, flags);
  const { value, elapsedMs } = await timed(this, 'the daemon', async () => {
    try {
      return await client.restore(document, flags.replace === true, wait);
    } catch (error) {
      throw withField(error);
    }
  });
  await reportChanges(this, flags, value, elapsedMs);
}

/** The error with the forward at fault: a backup has no lines to name. */
function withField(error: unknown): unknown {
  if (!(error instanceof HatobaError) || error.field?.startsWith('forwards.') !== true) return error;
  const { code, message, hint, field, cause } = error;
  return message.includes(field) ? error : new HatobaError(code, `${field}: ${message}`, hint, { field, cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw hatobaError('file_malformed', { file: 'standard input', reason: reasonOf(error) }, { cause: error });
  }
}
