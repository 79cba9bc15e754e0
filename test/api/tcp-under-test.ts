import { type Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { createDoors } from '../../src/api/access/doors.ts';
import type { Authenticate } from '../../src/api/access/guard.ts';
import { authenticateLoopback } from '../../src/api/access/local-callers.ts';
import { createTcpListener, type TcpOptions } from '../../src/api/listen/tcp.ts';
import type { OpenRegistry } from '../../src/registry/open-registry.ts';
import { type Bench, openBench } from './api-under-test.ts';

export interface TcpBench extends AsyncDisposable {
  readonly bench: Bench;
  readonly port: number;
  ended(): Promise<void>;
}

/** The real API on a port of the loopback; `callers`: who comes in there, by default anybody. */
export async function openTcpBench(
  callers: (registry: OpenRegistry) => Authenticate = () => authenticateLoopback,
  options: TcpOptions = {},
): Promise<TcpBench> {
  const doors = createDoors();
  const bench = await openBench({ authenticate: doors.authenticate, admit: doors.admit });
  const listener = createTcpListener(bench.api, doors, callers(bench.registry), options);
  await bench.api.ready();
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  return { bench, port, ended: () => listener.ended(), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly agent?: Agent;
}

/** One exchange with a port of the loopback. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, agent }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { host: '127.0.0.1', port, method, path, headers: { ...type, ...headers }, agent: agent ?? false };
    const asked = request(options, (response) => {
      const { statusCode: status, headers: told } = response;
      text(response).then((content) => resolve({ status, headers: told, body: content }), reject);
    });
    asked.once('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
