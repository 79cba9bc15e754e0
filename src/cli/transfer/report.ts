import type { ApplyResult } from '../../client/operations.ts';
import { printEndpoint } from '../../model/address.ts';
import { hatobaError } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';
import { formatElapsed } from '../forwards/report.ts';
import { shortenRouter } from '../output/ids.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';

type Change = ApplyResult['changes'][number];
type Spec = NonNullable<Change['after']>;

export interface ReportFlags {
  readonly output?: DocumentFormat;
  readonly noWait?: boolean;
}

/**
 * Says on stdout what was changed or would be, and on stderr what is not in the kernel, and why.
 * Errors: `not_applied`, `apply_timed_out`.
 */
export async function reportChanges(
  context: CliContext,
  flags: ReportFlags,
  result: ApplyResult,
  elapsedMs: number,
): Promise<void> {
  if (flags.output === undefined) printChanges(context, result, elapsedMs);
  else await printDocument(context, flags.output, result);
  reportKernel(context, flags, result, elapsedMs);
}

/** A line for each change, and one for all. */
export function printChanges({ process }: CliContext, result: ApplyResult, elapsedMs: number): void {
  const lines = [...result.changes.map(changeLine), summary(result, elapsedMs)];
  process.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''));
}

/** Says on stderr what is not in the kernel, and why. Errors: `not_applied`, `apply_timed_out`. */
export function reportKernel(
  { process }: CliContext,
  flags: ReportFlags,
  result: ApplyResult,
  elapsedMs: number,
): void {
  if (result.dry_run) return;
  for (const [message, count] of reasons(result)) {
    process.stderr.write(`hatoba: ${count} ${count === 1 ? 'forward' : 'forwards'}: ${visible(message)}\n`);
  }
  const failed = result.changes.find(({ state }) => state === 'error');
  if (failed !== undefined) {
    throw hatobaError('not_applied', { value: failed.after?.name ?? failed.id ?? '', reason: failed.message ?? '' });
  }
  if (result.applied || flags.noWait === true) return;
  throw hatobaError('apply_timed_out', { count: result.changes.length, seconds: (elapsedMs / 1000).toFixed(1) });
}

/** What happens to one forward: `+`, `~` or `-`, and what it is. */
export function changeLine({ before, after }: Change): string {
  if (before === null) return after === null ? '' : `+ ${describe(after)}`;
  if (after === null) return `- ${describe(before)}`;
  return `~ ${describe(before)}: ${differences(before, after).join(', ')}`;
}

function describe(spec: Spec): string {
  const external = printEndpoint(spec.external_address, spec.external_port);
  const internal = printEndpoint(spec.internal_address, spec.internal_port);
  const from = spec.sources.length === 0 ? '' : ` from ${spec.sources.join(', ')}`;
  const name = spec.name === null ? '' : ` ${spec.name}`;
  return `${shortenRouter(spec.router)}${name} ${external}/${spec.protocol}${from} -> ${internal}`;
}

function differences(before: Spec, after: Spec): readonly string[] {
  const was = new Map<string, unknown>(Object.entries(before));
  const differing = Object.entries(after).filter(([key, value]) => print(value) !== print(was.get(key)));
  const texts = differing.map(([key, value]) => `${key} ${print(was.get(key))} -> ${print(value)}`);
  return texts.length === 0 ? ['times'] : texts;
}

function print(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function summary({ dry_run, created, updated, removed, unchanged }: ApplyResult, elapsedMs: number): string {
  if (dry_run)
    return `dry run: ${created} to create, ${updated} to change, ${removed} to remove, ${unchanged} unchanged`;
  return `${created} created, ${updated} changed, ${removed} removed, ${unchanged} unchanged after ${formatElapsed(elapsedMs)}`;
}

/** Why forwards are not active, and how many each; those that wait for routers together, as these can be many. */
function reasons({ changes }: ApplyResult): ReadonlyMap<string, number> {
  const waiting = changes.filter(({ state }) => state === 'waiting');
  const routers = new Set(waiting.map(({ after }) => after?.router)).size;
  const counts = new Map<string, number>();
  for (const { state, message } of changes) {
    if (message === null) continue;
    const reason = state === 'waiting' && routers > 1 ? `no node has their ${routers} routers yet` : message;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}
