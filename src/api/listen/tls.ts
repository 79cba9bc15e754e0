import type { RequestListener, ServerOptions } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { answerBrokenRequest } from './broken-request.ts';
import type { KeyPair } from './key-pair.ts';

/** For all of the negotiation, before a first request can be sent. */
const HANDSHAKE = 10_000;

/** Loaded only where TLS is configured. */
export function createTlsServer(pair: KeyPair, options: ServerOptions, listener: RequestListener): Server {
  const { createServer } = process.getBuiltinModule('node:https');
  const server = createServer({ ...options, ...contextOf(pair), handshakeTimeout: HANDSHAKE }, listener);
  const secured = new WeakSet<Duplex>();
  server.on('secureConnection', (socket) => secured.add(socket));
  server.on('clientError', (error, socket) => {
    // What fails before TLS is there could not read an answer.
    if (secured.has(socket)) answerBrokenRequest(error, socket);
    else socket.destroy();
  });
  return server;
}

/** From the next connection on; those there are go on as they began. */
export function useKeyPair(server: Server, pair: KeyPair): void {
  server.setSecureContext(contextOf(pair));
}

function contextOf({ cert, key }: KeyPair) {
  return { cert, key, minVersion: 'TLSv1.2' } as const;
}
