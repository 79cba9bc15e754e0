import { once } from 'node:events';
import { createServer, type Server as PlainServer, type RequestListener } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import type { Doors } from '../access/doors.ts';
import type { Admit, Authenticate } from '../access/guard.ts';
import { isLoopback } from '../access/local-callers.ts';
import { remoteKey } from '../access/remote-address.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { trackConnections } from './connection-draining.ts';
import { limitConnections } from './connections.ts';
import { refuseForeignHosts } from './foreign-hosts.ts';
import { inTurns } from './in-turns.ts';
import type { KeyPair } from './key-pair.ts';
import { KEEP_ALIVE, limitClients, MOST_CONNECTIONS, MOST_OF_ONE_ADDRESS, SERVER_OPTIONS, STALL } from './limits.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { printTcpAddress, type TcpAddress } from './tcp-address.ts';
import { createTlsServer, useKeyPair } from './tls.ts';

export interface TcpOptions {
  /** With it, only TLS is spoken. Default: without. */
  readonly keyPair?: KeyPair | null;
  /** Refuses who asks too much. Default: nobody does. */
  readonly admit?: Admit;
  /** So many connections there may be. Default: `MOST_CONNECTIONS`. */
  readonly mostConnections?: number;
  /** So many connections each client may have. Default: a part of all that there are. */
  readonly mostOfOneAddress?: number;
  /** By what clients are told apart, of whom each may have a part of the connections. Default: `remoteKey`. */
  readonly keyOf?: (address: string | undefined) => string | null;
  /** Is for this machine only: by the address it listens on, and by the name that a request gives it. Default: for any. */
  readonly onlyLoopback?: boolean;
}

export interface TcpListener {
  /**
   * Listens from now on, until the API is closed; gives the address with the port that the system has chosen where 0 was
   * asked for. Errors: `address_unusable`, `listen_unprotected`.
   */
  listen(address: TcpAddress): Promise<TcpAddress>;
  /** With TLS: the pair for connections that are yet to come. */
  useKeyPair(pair: KeyPair): void;
  /** Resolves when, after a `close` of the API, the last answer is out. */
  ended(): Promise<void>;
}

type Server = PlainServer | TlsServer;

/** The API on TCP, too; to be called before the API is ready. */
export function createTcpListener(
  api: FastifyInstance,
  doors: Doors,
  authenticate: Authenticate,
  {
    keyPair = null,
    admit,
    mostConnections = MOST_CONNECTIONS,
    mostOfOneAddress = MOST_OF_ONE_ADDRESS,
    keyOf = remoteKey,
    onlyLoopback = false,
  }: TcpOptions = {},
): TcpListener {
  // Fastify itself has one server only, which is on the unix socket.
  const { server, renew } = openServer(
    keyPair,
    oneAtATime(inTurns((request, response) => api.routing(request, response))),
  );
  server.keepAliveTimeout = KEEP_ALIVE;
  server.setTimeout(STALL);
  limitClients(server, mostConnections);
  limitConnections(server, mostOfOneAddress, keyOf);
  doors.guard(server, authenticate, admit);
  if (onlyLoopback) refuseForeignHosts(api, server);
  endWith(api, server);
  const closed = new Promise((resolve) => server.once('close', resolve));
  let hasListened = false;

  return {
    async listen(address) {
      await startListening(server, address);
      hasListened = true;
      const bound = server.address();
      if (typeof bound !== 'object' || bound === null) return address;
      // A name leads where the system's resolver says, localhost too.
      if (onlyLoopback && !isLoopback(bound.address)) {
        server.close();
        throw hatobaError('listen_unprotected', { value: `${printTcpAddress(address)} (${bound.address})` });
      }
      return { ...address, port: bound.port };
    },

    useKeyPair: renew,

    async ended() {
      if (hasListened) await closed;
    },
  };
}

interface OpenServer {
  readonly server: Server;
  readonly renew: (pair: KeyPair) => void;
}

function openServer(keyPair: KeyPair | null, listener: RequestListener): OpenServer {
  if (keyPair !== null) {
    const server = createTlsServer(keyPair, SERVER_OPTIONS, listener);
    return { server, renew: (pair) => useKeyPair(server, pair) };
  }
  const server = createServer(SERVER_OPTIONS, listener);
  server.on('clientError', answerBrokenRequest);
  return { server, renew: () => undefined };
}

/** Accepts no new connections once the API closes, and drains those that are open. */
function endWith(api: FastifyInstance, server: Server): void {
  const connections = trackConnections(server);
  api.addHook('preClose', (done) => {
    if (server.listening) server.close();
    connections.begin();
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
