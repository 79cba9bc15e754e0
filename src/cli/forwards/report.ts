import type { Forward } from '../../client/operations.ts';
import { printEndpoint } from '../../model/address.ts';
import { hatobaError } from '../../model/errors.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';

export interface ChangeFlags extends DaemonFlags {
  readonly output?: DocumentFormat;
  readonly quiet?: boolean;
  readonly wait?: string;
  readonly noWait?: boolean;
}

/** `--wait SECONDS`, `--no-wait`, or neither. Error: `usage_malformed` for both. */
export function waitOf(flags: ChangeFlags): string | undefined {
  if (flags.noWait !== true) return flags.wait;
  if (flags.wait === undefined) return '0';
  throw hatobaError('usage_malformed', { reason: '--wait and --no-wait exclude each other' });
}

/** Its name and the beginning of its id, or the id alone. */
export function nameForward({ id, name }: Pick<Forward, 'id' | 'name'>): string {
  return name === null ? id : `${name} (${id.slice(0, 8)}…)`;
}

/** The outside address that it has in the kernel where that is known, else what was asked for. */
export function externalEndpoint(forward: Forward): string {
  const resolved = forward.status.nodes.find((node) => node.external_address !== null)?.external_address;
  return printEndpoint(resolved ?? forward.external_address, forward.external_port);
}

export function internalEndpoint(forward: Forward): string {
  return printEndpoint(forward.internal_address, forward.internal_port);
}

/**
 * Says on stdout what became of a change, and on stderr why it is not in the kernel where something stands in the way.
 * Errors: `wait_timed_out`, `not_applied`.
 */
export async function reportChange(
  context: CliContext,
  flags: ChangeFlags,
  forward: Forward,
  elapsedMs: number,
): Promise<void> {
  const { stdout, stderr } = context.process;
  if (flags.quiet === true) stdout.write(`${forward.id}\n`);
  else if (flags.output !== undefined) await printDocument(context, flags.output, forward);
  else stdout.write(`${visible(changeLine(forward, elapsedMs))}\n`);

  const { state, message } = forward.status;
  const reason = message ?? 'the node says nothing about it';
  const parameters = { value: nameForward(forward), reason };
  if (state === 'error') throw hatobaError('not_applied', parameters);
  if (state !== 'pending') return;
  if (!isBehind(forward)) stderr.write(`hatoba: ${visible(`forward ${parameters.value} is stored, but ${reason}`)}\n`);
  else if (flags.noWait !== true) {
    throw hatobaError('wait_timed_out', { ...parameters, seconds: (elapsedMs / 1000).toFixed(1) });
  }
}

/** Milliseconds, or seconds from one on. */
export function formatElapsed(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function changeLine(forward: Forward, elapsedMs: number): string {
  const { state, message } = forward.status;
  const way = `${externalEndpoint(forward)}/${forward.protocol} -> ${internalEndpoint(forward)}`;
  const outcome = state === 'active' ? `active after ${formatElapsed(elapsedMs)}${until(forward)}` : state;
  return `forward ${nameForward(forward)} ${way} is ${outcome}${message === null ? '' : `: ${message}`}`;
}

function until({ expires_at }: Forward): string {
  return expires_at === null ? '' : `, until ${expires_at}`;
}

/** Whether some node has not yet come to the change; then it is only a matter of time. */
function isBehind({ revision, status }: Forward): boolean {
  return status.nodes.some((node) => node.state === 'pending' && node.revision < revision);
}
