import { Agent, type IncomingMessage, request } from 'node:http';

/** One request of a load. */
export interface LoadRequest {
  readonly method: string;
  /** From the root of the server. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Load {
  /** `http://HOST:PORT`. */
  readonly baseUrl: string;
  /** So many ask at a time, each on a connection of its own that is kept, and each at once when it was answered. */
  readonly callers: number;
  /** The nth request of all, 0 first; `null`: there is none any more. */
  readonly next: (at: number, caller: number) => LoadRequest | null;
}

export interface LoadOutcome {
  /** In ms, of each request that was answered with less than 400. */
  readonly times: readonly number[];
  /** How many answers had which status; 0: none came. */
  readonly statuses: ReadonlyMap<number, number>;
  /** From the first request to the last answer. */
  readonly seconds: number;
}

/** Asks as fast as answers come. */
export async function runLoad({ baseUrl, callers, next }: Load): Promise<LoadOutcome> {
  const times: number[] = [];
  const statuses = new Map<number, number>();
  const started = performance.now();
  let at = 0;

  async function call(caller: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let wanted = next(at++, caller); wanted !== null; wanted = next(at++, caller)) {
      const begun = performance.now();
      const status = await exchange(baseUrl, agent, wanted);
      if (status > 0 && status < 400) times.push(performance.now() - begun);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    agent.destroy();
  }

  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return { times, statuses, seconds: (performance.now() - started) / 1000 };
}

/** The status of the answer, once all of it has come; 0: there was none. */
function exchange(baseUrl: string, agent: Agent, { method, path, headers, body }: LoadRequest): Promise<number> {
  return new Promise((resolve) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const content = text === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request(new URL(path, baseUrl), { agent, method, headers: { ...headers, ...content } });
    sent.on('response', (response: IncomingMessage) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end(text);
  });
}
