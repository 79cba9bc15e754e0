import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Thing = Readonly<Record<string, unknown>> & { readonly id: string };

/** What a Neutron would tell whoever asks, to be changed at will. */
export interface NeutronStandIn extends AsyncDisposable {
  readonly url: URL;
  readonly things: Record<'routers' | 'ports' | 'floatingips' | 'extensions', readonly Thing[]>;
  /** Says it for every request from now on; `null`: what is asked for. */
  answer: {
    readonly status: number;
    readonly body: string;
    readonly headers?: Readonly<Record<string, string>>;
  } | null;
  /** As many of a list as come in one answer. */
  page: number;
  /** Method and path of each request, in order. */
  readonly asked: string[];
  /** The tokens of each: of whoever asks, of a service, and what is in Authorization. */
  readonly tokens: string[];
  /** The names and values of all headers. */
  readonly headers: string[];
}

/** For what a real Neutron cannot be made to say quickly; it reads queries, and changes nothing. */
export async function openNeutronStandIn(): Promise<NeutronStandIn> {
  const server = createServer((request, response) => serve(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const standIn: NeutronStandIn = {
    url: new URL(`http://127.0.0.1:${port}/`),
    things: { routers: [], ports: [], floatingips: [], extensions: [] },
    answer: null,
    page: Number.POSITIVE_INFINITY,
    asked: [],
    tokens: [],
    headers: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(`${standIn.url.origin}${request.url ?? '/'}`);
    standIn.asked.push(`${request.method} ${url.pathname}`);
    standIn.headers.push(...request.rawHeaders);
    standIn.tokens.push(
      ['x-auth-token', 'x-service-token', 'authorization'].flatMap((name) => request.headers[name] ?? []).join(' '),
    );
    const { status, body, headers = {} } = standIn.answer ?? { ...find(url), headers: {} };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  }

  function find({ pathname, searchParams }: URL): { readonly status: number; readonly body: string } {
    const plain = pathname.replace(/\/$/, '').replace(/(?:\.|%2E)json$/, '');
    const [collection = '', id] = plain.replace('/v2.0/', '').split('/');
    const things = new Map(Object.entries(standIn.things)).get(collection);
    if (things === undefined) return { status: 404, body: '{"NeutronError": {}}' };
    if (id !== undefined) {
      const thing = things.find((each) => each.id === id);
      if (thing === undefined) return { status: 404, body: '{"NeutronError": {}}' };
      return { status: 200, body: JSON.stringify({ [collection.slice(0, -1)]: thing }) };
    }
    const found = things.filter((thing) => fits(thing, searchParams));
    const first = found.findIndex((thing) => thing.id === searchParams.get('marker')) + 1;
    const items = found.slice(first, first + standIn.page);
    const next = `http://elsewhere/v2.0/${collection}?marker=${items.at(-1)?.id}`;
    const links = first + items.length < found.length ? { [`${collection}_links`]: [{ rel: 'next', href: next }] } : {};
    return { status: 200, body: JSON.stringify({ [collection]: items, ...links }) };
  }

  return standIn;
}

const RESERVED = ['fields', 'sort_key', 'sort_dir', 'limit', 'marker'];

function fits(thing: Thing, query: URLSearchParams): boolean {
  const keys = [...new Set(query.keys())].filter((key) => !RESERVED.includes(key));
  return keys.every((key) =>
    query.getAll(key).some((value) => {
      const [attribute, wanted] = value.includes('=') ? value.split('=') : [null, value];
      const text = JSON.stringify(thing[key] ?? null);
      return attribute === null ? text === JSON.stringify(wanted) : text.includes(`"${attribute}":"${wanted}"`);
    }),
  );
}
