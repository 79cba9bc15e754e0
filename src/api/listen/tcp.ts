import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import type { Doors } from '../access/doors.ts';
import type { Authenticate } from '../access/guard.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { KEEP_ALIVE, limitClients, SERVER_OPTIONS, STALL } from './limits.ts';
import { printTcpAddress, type TcpAddress } from './tcp-address.ts';

export interface TcpListener {
  /**
   * Listens from now on, until the API is closed; gives the address with the port that the system has chosen where 0 was
   * asked for. Error: `address_unusable`.
   */
  listen(address: TcpAddress): Promise<TcpAddress>;
  /** Resolves when, after a `close` of the API, the last answer is out. */
  ended(): Promise<void>;
}

/** The API on TCP, too; to be called before the API is ready. */
export function createTcpListener(api: FastifyInstance, doors: Doors, authenticate: Authenticate): TcpListener {
  // Fastify itself has one server only, which is on the unix socket.
  const server = createServer(SERVER_OPTIONS, (request, response) => api.routing(request, response));
  server.keepAliveTimeout = KEEP_ALIVE;
  server.setTimeout(STALL);
  server.on('clientError', answerBrokenRequest);
  limitClients(server);
  doors.guard(server, authenticate);
  endWith(api, server);
  const closed = new Promise((resolve) => server.once('close', resolve));
  let hasListened = false;

  return {
    async listen(address) {
      await startListening(server, address);
      hasListened = true;
      const bound = server.address();
      return typeof bound === 'object' && bound !== null ? { ...address, port: bound.port } : address;
    },

    async ended() {
      if (hasListened) await closed;
    },
  };
}

/** No new connections once the API closes; those there are end with the answers they wait for. */
function endWith(api: FastifyInstance, server: Server): void {
  let closing = false;
  api.addHook('preClose', (done) => {
    closing = true;
    if (server.listening) server.close();
    done();
  });
  api.addHook('onResponse', (_request, _reply, done) => {
    // A connection counts as idle only when its answer has been dealt with.
    if (closing) setImmediate(() => server.closeIdleConnections());
    done();
  });
}

async function startListening(server: Server, address: TcpAddress): Promise<void> {
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw hatobaError(
      'address_unusable',
      { value: printTcpAddress(address), reason: reasonOf(error) },
      { cause: error },
    );
  }
}
