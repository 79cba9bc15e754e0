import type { TraceRequest } from '../../client/operations.ts';
import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { splitInternal } from '../endpoint.ts';
import { inWords } from '../errors.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';
import { liveLines } from './live.ts';
import { traceLines } from './sentences.ts';

export interface TraceFlags extends DaemonFlags {
  readonly from: string;
  readonly to: string;
  readonly protocol?: string;
  readonly router?: string;
  readonly live?: boolean;
  readonly timeout?: string;
  readonly output?: DocumentFormat;
}

const WORDS = {
  router: '--router',
  protocol: '--protocol',
  source: '--from',
  source_port: '--from',
  destination: '--to',
  destination_port: '--to',
  timeout: '--timeout',
};

/** Of the API. */
const USUAL_TIMEOUT = '10';

export async function showTrace(this: CliContext, flags: TraceFlags): Promise<void> {
  const from = splitInternal(flags.from);
  const to = splitInternal(flags.to);
  if (to.port === null) {
    throw hatobaError('usage_malformed', { reason: `--to: ${flags.to} has no port; it is ADDRESS:PORT` });
  }
  const request: TraceRequest = {
    router: flags.router,
    protocol: flags.protocol,
    source: from.address,
    source_port: from.port ?? undefined,
    destination: to.address,
    destination_port: to.port,
    ...liveFields(flags),
  };
  const wait = flags.live === true ? (flags.timeout ?? USUAL_TIMEOUT) : '0';
  if (flags.live === true) this.process.stderr.write(`${visible(waitingLine(flags, wait))}\n`);
  const traced = await createClient(this, flags)
    .trace(request, wait)
    .catch((error: unknown) => {
      throw inWords(WORDS, error);
    });
  if (flags.output !== undefined) await printDocument(this, flags.output, traced);
  else
    this.process.stdout.write(
      [...traceLines(traced), ...liveLines(traced)].map((line) => `${visible(line)}\n`).join(''),
    );
  if (traced.live?.packet === null)
    throw hatobaError('no_packet', { seconds: traced.live.timeout, node: traced.live.node });
}

/** Error: `usage_malformed`. */
function liveFields({ live, timeout }: TraceFlags): Pick<TraceRequest, 'live' | 'timeout'> {
  if (timeout === undefined) return { live };
  if (live !== true) throw hatobaError('usage_malformed', { reason: '--timeout is for --live only' });
  if (!/^\d+(\.\d+)?$/.test(timeout)) {
    throw hatobaError('usage_malformed', { reason: `--timeout: ${timeout} is not a number of seconds` });
  }
  return { live, timeout: Number(timeout) };
}

function waitingLine({ from, to, protocol = 'tcp' }: TraceFlags, seconds: string): string {
  return `waiting up to ${seconds} s for a ${protocol} packet from ${from} to ${to}: make one now`;
}
