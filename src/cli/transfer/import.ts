import { HatobaError, hatobaError } from '../../model/errors.ts';
import { type Client, createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { completeRouter } from '../forwards/input.ts';
import { waitOf } from '../forwards/report.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';
import { timed } from '../progress.ts';
import { expandPaths, type ImportFile, readImportFile } from './import-files.ts';
import { printChanges, reportKernel } from './report.ts';

export interface ImportFlags extends DaemonFlags {
  readonly router?: string;
  readonly followGateway?: boolean;
  readonly allAddresses?: boolean;
  readonly outside?: readonly string[];
  readonly dryRun?: boolean;
  readonly wait?: string;
  readonly noWait?: boolean;
  readonly output?: DocumentFormat;
}

/** Errors: as those of apply, `import_incomplete` where rules were not taken over, and `rules_bypassed`. */
export async function importForwards(this: CliContext, flags: ImportFlags, ...paths: readonly string[]): Promise<void> {
  const wait = waitOf(flags);
  const client = createClient(this, flags);
  const files = await readAll(this, client, flags, paths);
  const request = {
    forwards: files.flatMap(({ forwards }) => forwards),
    ...(flags.dryRun === true ? { dry_run: true } : {}),
  };
  const { value, elapsedMs } = await timed(this, 'the daemon', async () => {
    try {
      return await client.apply(request, wait);
    } catch (error) {
      throw await locate(files, error);
    }
  });
  const left = files.flatMap(({ file, left: rules }) => rules.map((rule) => ({ file, ...rule })));
  const bypassed = files.flatMap(({ file, bypassed: rules }) => rules.map((rule) => ({ file, ...rule })));
  const foreign = files.reduce((sum, file) => sum + file.foreign, 0);
  if (flags.output !== undefined) await printDocument(this, flags.output, { ...value, left, bypassed, foreign });
  else {
    printChanges(this, value, elapsedMs);
    for (const note of files.flatMap(({ notes }) => notes)) this.process.stderr.write(`hatoba: ${visible(note)}\n`);
    printLeft(this, [...left, ...bypassed], foreign);
  }
  reportKernel(this, flags, value, elapsedMs);
  if (left.length > 0) {
    const rules = new Set(files.flatMap(({ taken }) => taken)).size;
    throw hatobaError('import_incomplete', { count: left.length, total: left.length + rules });
  }
  if (bypassed.length > 0) throw hatobaError('rules_bypassed', { count: bypassed.length });
}

async function readAll(
  context: CliContext,
  client: Client,
  flags: ImportFlags,
  paths: readonly string[],
): Promise<readonly ImportFile[]> {
  const options = {
    router: flags.router === undefined ? undefined : await completeRouter(client, flags.router),
    followGateway: flags.followGateway === true,
    allAddresses: flags.allAddresses === true,
    outside: flags.outside ?? [],
  };
  const files: ImportFile[] = [];
  for (const path of await expandPaths(context, paths))
    files.push(await readImportFile(context, client, path, options));
  return files;
}

function printLeft(
  context: CliContext,
  left: readonly { readonly file: string; readonly line: number; readonly text: string; readonly reason: string }[],
  foreign: number,
): void {
  const lines = left.flatMap(({ file, line, text, reason }) => [`! ${file}:${line}: ${reason}`, `    ${text}`]);
  if (foreign === 1) lines.push("1 rule is Neutron's own, and stays with it");
  if (foreign > 1) lines.push(`${foreign} rules are Neutron's own, and stay with it`);
  context.process.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''));
}

/** The API's error about one of all forwards, with its place in its file. */
async function locate(files: readonly ImportFile[], error: unknown): Promise<unknown> {
  if (!(error instanceof HatobaError)) return error;
  const [, number, field = ''] = /^forwards\.(\d+)\.?(.*)$/.exec(error.field ?? '') ?? [];
  let index = Number(number ?? Number.NaN);
  for (const file of files) {
    if (index < file.forwards.length) return file.locate(error, index, field);
    index -= file.forwards.length;
  }
  return error;
}
