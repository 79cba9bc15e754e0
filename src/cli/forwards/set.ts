import type { ForwardPatch } from '../../client/operations.ts';
import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import { splitExternal, splitInternal } from '../endpoint.ts';
import { inWords } from '../errors.ts';
import { timed } from '../progress.ts';
import { forEachReference } from './each.ts';
import { readExpires } from './expires.ts';
import { completeRouter, readLabels } from './input.ts';
import { type ChangeFlags, reportChange, waitOf } from './report.ts';

export interface SetFlags extends ChangeFlags {
  readonly external?: string;
  readonly internal?: string;
  readonly router?: string;
  readonly protocol?: string;
  readonly source?: readonly string[];
  readonly anyone?: boolean;
  readonly name?: string;
  readonly noName?: boolean;
  readonly description?: string;
  readonly label?: readonly string[];
  readonly expires?: string;
  readonly ifRevision?: string;
}

const WORDS = {
  router: '--router',
  protocol: '--protocol',
  sources: '--source',
  name: '--name',
  description: '--description',
  labels: '--label',
  expires_at: '--expires',
  expires_in: '--expires',
  wait: '--wait',
  'if-match': '--if-revision',
  external_address: '--external',
  external_port: '--external',
  internal_address: '--internal',
  internal_port: '--internal',
};

export async function set(this: CliContext, flags: SetFlags, reference: string): Promise<void> {
  const wait = waitOf(flags);
  const fields = fieldsOf(flags);
  if (Object.values(fields).every((value) => value === undefined))
    throw hatobaError('usage_malformed', { reason: 'nothing to change was named' });
  const client = createClient(this, flags);
  try {
    const router = flags.router === undefined ? {} : { router: await completeRouter(client, flags.router) };
    const change = { ...fields, ...router };
    const { value, elapsedMs } = await timed(this, 'the kernel', () => {
      return client.updateForward(reference, change, wait, flags.ifRevision);
    });
    await reportChange(this, flags, value, elapsedMs);
  } catch (error) {
    throw inWords(WORDS, error);
  }
}

export async function enable(this: CliContext, flags: ChangeFlags, ...references: readonly string[]): Promise<void> {
  await switchAll(this, flags, references, true);
}

export async function disable(this: CliContext, flags: ChangeFlags, ...references: readonly string[]): Promise<void> {
  await switchAll(this, flags, references, false);
}

async function switchAll(
  context: CliContext,
  flags: ChangeFlags,
  references: readonly string[],
  enabled: boolean,
): Promise<void> {
  const wait = waitOf(flags);
  const client = createClient(context, flags);
  await forEachReference(context, references, async (reference) => {
    const { value, elapsedMs } = await timed(context, 'the kernel', () => {
      return client.updateForward(reference, { enabled }, wait);
    });
    await reportChange(context, flags, value, elapsedMs);
  });
}

/** Only what was named changes: a bare port leaves the outside address, a bare address the inner port. */
function fieldsOf(flags: SetFlags): ForwardPatch {
  if (flags.noName === true && flags.name !== undefined) {
    throw hatobaError('usage_malformed', { reason: '--name and --no-name exclude each other' });
  }
  if (flags.anyone === true && flags.source !== undefined) {
    throw hatobaError('usage_malformed', { reason: '--source and --anyone exclude each other' });
  }
  const external = flags.external === undefined ? undefined : splitExternal(flags.external);
  const internal = flags.internal === undefined ? undefined : splitInternal(flags.internal);
  return {
    router: flags.router,
    protocol: flags.protocol,
    sources: flags.anyone === true ? [] : flags.source,
    name: flags.noName === true ? null : flags.name,
    description: flags.description === '' ? null : flags.description,
    labels: flags.label === undefined ? undefined : readLabels(flags.label),
    external_address: external?.address ?? undefined,
    external_port: external?.port ?? undefined,
    internal_address: internal?.address ?? undefined,
    internal_port: internal?.port ?? undefined,
    ...readExpires(flags.expires),
  };
}
