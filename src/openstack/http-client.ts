import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';

/** As much of an answer as is read. */
const LONGEST_ANSWER = 1 << 20;

export interface HttpClientOptions {
  /** Authorities (PEM) that servers' certificates are checked against; `null`: those that Node brings along. */
  readonly ca: string | null;
  /** From the call to the last byte of its answer. */
  readonly timeoutMs: number;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpClient {
  /** Rejects with a plain `Error` where no whole answer has come in time. Follows no redirection. */
  exchange(call: HttpCall): Promise<HttpAnswer>;
  /** Ends the exchanges that are under way: they reject. */
  close(): void;
}

type Request = (url: URL, options: RequestOptions) => ClientRequest;

/**
 * A connection for each exchange: what was closed by the other side meanwhile can then never be mistaken for one that
 * lives, and sessions of TLS are taken up again all the same.
 */
export function createHttpClient({ ca, timeoutMs }: HttpClientOptions): HttpClient {
  const closing = new AbortController();
  const requests = new Map<string, Request>();

  function requestFor(protocol: string): Request {
    const known = requests.get(protocol) ?? openRequest(protocol, ca);
    requests.set(protocol, known);
    return known;
  }

  return {
    async exchange({ method, url, headers, body }) {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const options = { method, headers: { ...headers, ...contentHeaders(body) }, signal };
        const outgoing = requestFor(url.protocol)(url, options);
        return await send(outgoing, body);
      } catch (error) {
        throw new Error(`${method} ${url.href}: ${explain(signal, error, timeoutMs)}`, { cause: error });
      }
    },
    close: () => closing.abort(),
  };
}

/** `import 'node:http'` reads every export, some of which load undici at first touch. */
function openRequest(protocol: string, ca: string | null): Request {
  if (protocol === 'https:') {
    const { Agent, request } = process.getBuiltinModule('node:https');
    const agent = new Agent(ca === null ? {} : { ca });
    return (url, options) => request(url, { ...options, agent });
  }
  const { Agent, request } = process.getBuiltinModule('node:http');
  const agent = new Agent();
  return (url, options) => request(url, { ...options, agent });
}

function contentHeaders(body: unknown): Readonly<Record<string, string>> {
  if (body === undefined) return {};
  return { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(JSON.stringify(body))) };
}

async function send(outgoing: ClientRequest, body: unknown): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.on('response', resolve).on('error', reject);
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const incoming = await promise;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await read(incoming) };
}

async function read(incoming: IncomingMessage): Promise<string> {
  incoming.setEncoding('utf8');
  let text = '';
  for await (const chunk of incoming) {
    text += String(chunk);
    if (text.length > LONGEST_ANSWER) throw new Error(`the answer is longer than ${LONGEST_ANSWER} characters`);
  }
  return text;
}

function explain(signal: AbortSignal, error: unknown, timeoutMs: number): string {
  if (!signal.aborted) return error instanceof Error ? error.message : String(error);
  return signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
    ? `no whole answer within ${timeoutMs / 1000} s`
    : 'given up, since the daemon stops';
}
