import { setTimeout } from 'node:timers/promises';
import type { Sent } from './requests.ts';
import type { World } from './world.ts';

export interface Answer {
  /** Where the request came to, without its query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** How long nothing more may come of a stream until it is taken for all there is, in ms. */
const QUIET = 10;

/** Sends the request, with the caller's token. Of an answer without an end, what comes at once. */
export async function exchange(world: World, { caller, method, url, headers, body }: Sent): Promise<Answer> {
  const answer = await world.bench.api.inject({
    method,
    url,
    headers: { ...world.credentialOf(caller), ...headers },
    ...(body === undefined ? {} : { payload: body }),
    payloadAsStream: true,
  });
  const { pathname: path } = new URL(url.startsWith('//') ? `http://localhost${url}` : url, 'http://localhost');
  const isEndless = `${answer.headers['content-type']}`.startsWith('text/event-stream');
  const chunks: Buffer[] = [];
  const stream = answer.stream();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (isEndless) {
    let count = -1;
    while (count < chunks.length) {
      count = chunks.length;
      await setTimeout(QUIET);
    }
    answer.raw.res.destroy();
  } else if (!stream.readableEnded) {
    await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
  }
  return { path, status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}
