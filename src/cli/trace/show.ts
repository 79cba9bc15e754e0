import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import { splitInternal } from '../endpoint.ts';
import { inWords } from '../errors.ts';
import { given } from '../forwards/input.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';
import { traceLines } from './sentences.ts';

export interface TraceFlags {
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly router?: string;
  readonly output?: DocumentFormat;
  readonly socket?: string;
}

const WORDS = {
  router: '--router',
  protocol: '--protocol',
  source: '--from',
  source_port: '--from',
  destination: '--to',
  destination_port: '--to',
};

export async function showTrace(this: CliContext, flags: TraceFlags): Promise<void> {
  const from = splitInternal(flags.from);
  const to = splitInternal(flags.to);
  if (to.port === null) {
    throw hatobaError('usage_malformed', { reason: `--to: ${flags.to} has no port; it is ADDRESS:PORT` });
  }
  const request = given({
    router: flags.router,
    protocol: flags.protocol,
    source: from.address,
    source_port: from.port ?? undefined,
    destination: to.address,
    destination_port: to.port,
  });
  try {
    const traced = await createClient(this, flags.socket).trace(request);
    if (flags.output !== undefined) return await printDocument(this, flags.output, traced);
    this.process.stdout.write(
      traceLines(traced)
        .map((line) => `${visible(line)}\n`)
        .join(''),
    );
  } catch (error) {
    throw inWords(WORDS, error);
  }
}
