import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { passOn } from '../../../src/api/neutron/upstream/pass-on.ts';
import { untouched } from '../../../src/api/neutron/upstream/passed-on.ts';
import { answerWithProblems } from '../../../src/api/problem.ts';
import { createUpstream, type UpstreamPatience } from '../../../src/openstack/neutron/upstream.ts';
import { eventually } from '../../support/eventually.ts';

const opened: (Server | FastifyInstance)[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    const server = 'server' in one ? one.server : one;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  opened.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/** A proxy before whatever listens at this port; gives its own port, and how many answers it knows to be complete. */
async function proxyTo(
  port: number,
  patience?: UpstreamPatience,
  path = '',
): Promise<{ port: number; done: string[] }> {
  const upstream = createUpstream(
    new URL(`http://127.0.0.1:${port}${path}`),
    patience === undefined ? {} : { patience },
  );
  const api = fastify({ bodyLimit: 10 });
  opened.push(api);
  const done: string[] = [];
  api.addHook('onResponse', async (_request, reply) => {
    done.push(String(reply.raw.statusCode));
  });
  answerWithProblems(api);
  api.register(
    untouched((routes) => {
      routes.all('/*', (request, reply) => passOn(upstream, request, reply));
    }),
  );
  await api.listen({ port: 0, host: '127.0.0.1' });
  return { port: portOf(api.server), done };
}

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('latin1');
}

/** Says as JSON what it was asked. */
const echo: RequestListener = (incoming, response) => {
  const { method, url, rawHeaders: headers } = incoming;
  response.setHeader('content-type', 'application/json');
  void textOf(incoming).then((body) => response.end(JSON.stringify({ method, url, headers, body } satisfies Seen)));
};

/** One exchange as it is on the wire, both ways; the connection is closed behind it. */
async function onTheWire(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text.replaceAll('\n', '\r\n'));
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk);
  return answer;
}

async function seen(port: number, text: string): Promise<Seen> {
  const answer = await onTheWire(port, text);
  return JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1));
}

function valuesOf({ headers }: Seen, name: string): readonly string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name);
}

describe('a request', () => {
  test('goes on with method, path and query as they were written', async () => {
    const { port } = await proxyTo(portOf(await serve(echo)));
    const target = '/v2.0/networks//x%2Fy?name=a%20b&name=c+d&empty=&fields=id;x';
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { method: asked, url } = await seen(
        port,
        `${method} ${target} HTTP/1.1\nHost: us:1\nConnection: close\n\n`,
      );
      expect([asked, url]).toEqual([method, target]);
    }
  });

  test('goes on behind the path of the real one', async () => {
    const { port } = await proxyTo(portOf(await serve(echo)), undefined, '/network/');
    const { url } = await seen(port, 'GET /v2.0/ports?a=b HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    expect(url).toBe('/network/v2.0/ports?a=b');
  });

  test('goes on without the name of the server, where it has that before its path', async () => {
    const { port } = await proxyTo(portOf(await serve(echo)));
    const asked = await seen(
      port,
      'GET http://elsewhere.example/v2.0/ports?a=b HTTP/1.1\nHost: us:1\nConnection: close\n\n',
    );
    expect(asked.url).toBe('/v2.0/ports?a=b');
  });

  test('keeps its headers but those for the next hop, and says where it comes from', async () => {
    const { port } = await proxyTo(portOf(await serve(echo)));
    const asked = await seen(
      port,
      `GET /v2.0/ports HTTP/1.1
Host: cloud.example:9696
X-Auth-TOKEN: secret
x-twice: 1
x-twice: 2
X-Forwarded-For: 192.0.2.7
Connection: close, X-Mine
X-Mine: 1
Keep-Alive: timeout=5
TE: trailers
Proxy-Authorization: basic x

`,
    );
    expect(asked.headers.join(' ')).toBe(
      'Host cloud.example:9696 X-Auth-TOKEN secret x-twice 1 x-twice 2 ' +
        'X-Forwarded-For 192.0.2.7, 127.0.0.1 X-Forwarded-Proto http Connection close',
    );
  });

  test.each(['POST', 'PUT', 'DELETE', 'GET'])('keeps the framing of its body: %s', async (method) => {
    const { port } = await proxyTo(portOf(await serve(echo)));
    const head = `${method} /v2.0/ports HTTP/1.1\nHost: us:1\nContent-Type: what/ever\nConnection: close\n`;
    const sized = await seen(port, `${head}Content-Length: 13\n\n{"not": json!`);
    expect(sized.body).toBe('{"not": json!');
    expect(valuesOf(sized, 'content-length')).toEqual(['13']);
    const chunked = await seen(port, `${head}Transfer-Encoding: chunked\n\n3\nabc\n2\nde\n0\n\n`);
    expect(chunked.body).toBe('abcde');
    expect(valuesOf(chunked, 'transfer-encoding')).toEqual(['chunked']);
    const none = await seen(port, `${head}\n`);
    expect(none.body).toBe('');
    expect(valuesOf(none, 'transfer-encoding')).toEqual([]);
  });

  test('is read as fast as the real one reads it, and has no size of its own', async () => {
    let release = (): void => undefined;
    const server = await serve((incoming, response) => {
      release = () => void textOf(incoming).then((text) => response.end(String(text.length)));
    });
    const { port } = await proxyTo(portOf(server));
    const size = 64 << 20;
    const outgoing = httpRequest({ port, method: 'PUT', path: '/v2.0/x', headers: { 'content-length': size } });
    const answered = once(outgoing, 'response');
    const block = Buffer.alloc(1 << 20, 'x');
    let written = 0;
    while (written < size && outgoing.write(block)) written += block.length;
    for (written += block.length; written < size; written += block.length) {
      const drained = await Promise.race([once(outgoing, 'drain'), new Promise((r) => setTimeout(r, 300, 'stuck'))]);
      if (drained === 'stuck') break;
      outgoing.write(block);
    }
    expect(written).toBeLessThan(size);
    release();
    for (; written < size; written += block.length) outgoing.write(block);
    outgoing.end();
    const [response] = await answered;
    expect(await textOf(response)).toBe(String(size));
  });
});

describe('an answer', () => {
  test('is what the real one has said, byte by byte', async () => {
    const packed = gzipSync('{"networks": []}').toString('latin1');
    const server = await serve((_request, response) => {
      response.sendDate = false;
      response.writeHead(418, 'I am what I am', ['X-Openstack-Request-Id', 'req-1', 'content-ENCODING', 'gzip']);
      response.end(packed, 'latin1');
    });
    const { port, done } = await proxyTo(portOf(server));
    const answer = await onTheWire(port, 'GET /v2.0/networks HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    const [head = '', ...rest] = answer.split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe('HTTP/1.1 418 I am what I am');
    expect(head).toContain('X-Openstack-Request-Id: req-1\r\ncontent-ENCODING: gzip');
    expect(rest.join('\r\n\r\n')).toContain(packed);
    await eventually(() => expect(done).toEqual(['418']));
  });

  test('has the length that it had, or comes in chunks as it came', async () => {
    const server = await serve((incoming, response) => {
      if (incoming.url === '/sized') response.setHeader('content-length', 5);
      response.write('ab');
      response.end('cde');
    });
    const { port } = await proxyTo(portOf(server));
    const sized = await onTheWire(port, 'GET /sized HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    expect(sized).toMatch(/content-length: 5\r\n.*\r\n\r\nabcde$/s);
    const chunked = await onTheWire(port, 'GET /open HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    expect(chunked).toMatch(/Transfer-Encoding: chunked.*\r\n0\r\n\r\n$/s);
  });

  test('has no body where there is none to have', async () => {
    const server = await serve((incoming, response) => {
      response.writeHead(
        incoming.method === 'HEAD' ? 200 : 204,
        incoming.method === 'HEAD' ? { 'content-length': 7 } : {},
      );
      response.end();
    });
    const { port } = await proxyTo(portOf(server));
    const gone = await onTheWire(port, 'DELETE /v2.0/ports/x HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    expect(gone).toMatch(/^HTTP\/1\.1 204 No Content\r\n.*\r\n\r\n$/s);
    const head = await onTheWire(port, 'HEAD /v2.0/ports/x HTTP/1.1\nHost: us:1\nConnection: close\n\n');
    expect(head).toMatch(/content-length: 7\r\n.*\r\n\r\n$/s);
  });

  test('comes as it is said, before all of it is', async () => {
    const server = await serve((_request, response) => {
      response.write('first');
    });
    const { port } = await proxyTo(portOf(server));
    const outgoing = httpRequest({ port, path: '/v2.0/x' }).end();
    const [response] = await once(outgoing, 'response');
    const [first] = await once(response, 'data');
    expect(String(first)).toBe('first');
    outgoing.on('error', () => undefined).destroy();
  });

  test('that breaks off is not made to look whole', async () => {
    const server = await serve((_request, response) => {
      response.setHeader('content-length', 100);
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    });
    const { port } = await proxyTo(portOf(server));
    const outgoing = httpRequest({ port, path: '/v2.0/x' }).end();
    const [response] = await once(outgoing, 'response');
    await expect(textOf(response)).rejects.toThrow('aborted');
  });
});

describe('a client that goes away', () => {
  test.each(['while nothing has been said', 'while the answer comes'])('%s ends the call', async (when) => {
    const ends: string[] = [];
    const server = await serve((incoming, response) => {
      incoming.socket.once('close', () => ends.push('closed'));
      if (when !== 'while nothing has been said') response.write('x');
    });
    const { port } = await proxyTo(portOf(server));
    const outgoing = httpRequest({ port, path: '/v2.0/x' }).on('error', () => undefined);
    outgoing.end();
    if (when === 'while nothing has been said') await once(server, 'request');
    else await once(outgoing, 'response');
    expect(ends).toEqual([]);
    outgoing.destroy();
    await eventually(() => expect(ends).toEqual(['closed']));
  });

  test('in the middle of what it asks ends the call', async () => {
    const ends: string[] = [];
    const server = await serve((incoming) => {
      incoming.resume().once('error', ({ message }) => ends.push(message));
    });
    const { port } = await proxyTo(portOf(server));
    const outgoing = httpRequest({ port, method: 'POST', path: '/v2.0/x', headers: { 'content-length': 100 } });
    outgoing.on('error', () => undefined).write('half');
    await once(server, 'request');
    outgoing.destroy();
    await eventually(() => expect(ends).toEqual(['aborted']));
  });
});

describe('a Neutron that is not there', () => {
  const ask = async (port: number) => {
    const response = await fetch(`http://127.0.0.1:${port}/v2.0/ports`, { method: 'POST', body: '{}' });
    return [response.status, await response.text()];
  };

  test('is said to be unavailable', async () => {
    const server = await serve(echo);
    const gone = portOf(server);
    server.close();
    const { port } = await proxyTo(gone);
    expect(await ask(port)).toEqual([503, expect.stringContaining('neutron_unavailable')]);
  });

  test('also where it hangs up without a word, or is silent', async () => {
    const rude = await serve((incoming) => incoming.socket.destroy());
    expect(await ask((await proxyTo(portOf(rude))).port)).toEqual([503, expect.stringContaining('ECONNRESET')]);
    const silent = await serve(() => undefined);
    const { port } = await proxyTo(portOf(silent), { connecting: 1_000, answering: 100 });
    expect(await ask(port)).toEqual([503, expect.stringContaining('it is silent')]);
  });
});
