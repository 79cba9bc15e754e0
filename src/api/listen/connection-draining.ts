import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** How long a client may take to read an answer while the server is draining, in ms. */
const DELIVERY = 5_000;

export interface ConnectionDraining {
  /**
   * Closes every connection that has no complete request: idle ones, those on which nothing or a part of a request has
   * arrived, and TLS handshakes. The others are closed when their requests are answered, or when the client has not read
   * an answer within `DELIVERY` to twice as long. What had arrived before the call counts as read.
   */
  begin(): void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Tracks the connections of a server, so that they can be drained. Node's `closeIdleConnections` leaves connections open
 * that have never sent a request (https://nodejs.org/docs/latest-v24.x/api/http.html#servercloseidleconnections), and a
 * `close` waits for them; so it is replaced by this. To be called before the server listens.
 */
export function trackConnections(server: PlainServer | TlsServer): ConnectionDraining {
  /** Of each connection, in the order in which they are answered; some may be over. */
  const exchanges = new Map<Socket, readonly Exchange[]>();
  /** TLS only: the TCP connections under the handshakes, by remote address and port. */
  const handshakes = new Map<string, Socket>();
  let isDraining = false;
  // `close` calls it, and then it also cuts off answers that are complete but not sent yet.
  server.closeIdleConnections = () => undefined;

  function track(socket: Socket): void {
    exchanges.set(socket, []);
    socket.once('close', () => exchanges.delete(socket));
    if (isDraining) afterReading(() => closeUnlessServed(socket));
  }

  if ('setSecureContext' in server) {
    server.on('connection', (socket: Socket) => {
      const key = peerOf(socket);
      handshakes.set(key, socket);
      socket.once('close', () => {
        if (handshakes.get(key) === socket) handshakes.delete(key);
      });
      if (isDraining) socket.destroy();
    });
    server.on('secureConnection', (socket: Socket) => {
      handshakes.delete(peerOf(socket));
      track(socket);
    });
  } else {
    server.on('connection', track);
  }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const exchange: Exchange = { request, response };
    if (exchanges.has(socket)) exchanges.set(socket, [...openExchanges(socket), exchange]);
    if (isDraining) afterReading(() => closeUnlessServed(socket));
  });

  function openExchanges(socket: Socket): readonly Exchange[] {
    return (exchanges.get(socket) ?? []).filter(({ response }) => !response.closed);
  }

  /** Of pipelined requests, only the first can lack a part that Node has begun to read. */
  function closeUnlessServed(socket: Socket): void {
    const [first, ...others] = openExchanges(socket);
    if (first === undefined || !first.request.complete) socket.destroy();
    else for (const exchange of [first, ...others]) closeWhenServed(socket, exchange);
  }

  function closeWhenServed(socket: Socket, { response }: Exchange): void {
    response.once('close', () => {
      if (openExchanges(socket).length === 0) socket.destroySoon();
    });
  }

  /** Closes connections whose client had an answer to read at the last check, too. */
  function limitDelivery(): void {
    let reading = new Set<Socket>();
    const timer = setInterval(() => {
      const now = new Set(
        Array.from(exchanges.keys()).filter((socket) => openExchanges(socket)[0]?.response.headersSent),
      );
      for (const socket of now) if (reading.has(socket)) socket.destroy();
      reading = now;
    }, DELIVERY).unref();
    server.once('close', () => clearInterval(timer));
  }

  return {
    begin() {
      if (isDraining) return;
      isDraining = true;
      limitDelivery();
      afterReading(() => {
        for (const socket of handshakes.values()) socket.destroy();
        for (const socket of Array.from(exchanges.keys())) closeUnlessServed(socket);
      });
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Calls `next` when what has arrived by now has been read: after one whole turn of the event loop. */
function afterReading(next: () => void): void {
  setImmediate(() => setImmediate(next));
}
