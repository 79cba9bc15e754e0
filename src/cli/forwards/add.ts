import type { ForwardCreate } from '../../client/operations.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import { splitExternal, splitInternal } from '../endpoint.ts';
import { inWords } from '../errors.ts';
import { timed } from '../progress.ts';
import { readExpires } from './expires.ts';
import { completeRouter, readLabels } from './input.ts';
import { type ChangeFlags, reportChange, waitOf } from './report.ts';

export interface AddFlags extends ChangeFlags {
  readonly router?: string;
  readonly protocol?: string;
  readonly source?: readonly string[];
  readonly name?: string;
  readonly description?: string;
  readonly label?: readonly string[];
  readonly project?: string;
  readonly disabled?: boolean;
  readonly expires?: string;
}

const WORDS = {
  router: '--router',
  protocol: '--protocol',
  sources: '--source',
  name: '--name',
  description: '--description',
  labels: '--label',
  project_id: '--project',
  expires_at: '--expires',
  expires_in: '--expires',
  wait: '--wait',
  external_address: 'argument external',
  external_port: 'argument external',
  internal_address: 'argument internal',
  internal_port: 'argument internal',
};

export async function add(
  this: CliContext,
  flags: AddFlags,
  externalText: string,
  internalText: string,
): Promise<void> {
  const wait = waitOf(flags);
  const external = splitExternal(externalText);
  const internal = splitInternal(internalText);
  const client = createClient(this, flags);
  try {
    const fields: ForwardCreate = {
      router: flags.router === undefined ? undefined : await completeRouter(client, flags.router),
      protocol: flags.protocol,
      sources: flags.source,
      name: flags.name,
      description: flags.description,
      labels: flags.label === undefined ? undefined : readLabels(flags.label),
      project_id: flags.project,
      enabled: flags.disabled === true ? false : undefined,
      ...readExpires(flags.expires),
      external_address: external.address ?? undefined,
      external_port: external.port ?? '',
      internal_address: internal.address,
      internal_port: internal.port ?? undefined,
    };
    const { value, elapsedMs } = await timed(this, 'the kernel', () => client.createForward(fields, wait));
    await reportChange(this, flags, value, elapsedMs);
  } catch (error) {
    throw inWords(WORDS, error);
  }
}
