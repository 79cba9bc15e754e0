import type { IncomingMessage, Server as PlainServer, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Closes connections that take longer than this to deliver a request's head, counted from when they
 * were opened or had their last answer, or than that for its body.
 *
 * Node's own guard (`requestTimeout`, `headersTimeout`) looks at all connections at a fixed interval,
 * also when there are none, and so wakes an idle process; this one has a timer only for an open
 * connection that owes something.
 */
export function closeSlowClients(server: PlainServer | TlsServer, milliseconds: number): void {
  const debts = new WeakMap<Socket, Debt>();
  // With TLS, the negotiation has a limit of its own, and requests come on another socket.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
    const debt = createDebt(socket, milliseconds);
    debts.set(socket, debt);
    debt.due();
    socket.once('close', () => debt.paid());
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    debts.get(request.socket)?.request(request, response);
  });
}

interface Debt {
  due(): void;
  paid(): void;
  request(request: IncomingMessage, response: ServerResponse): void;
}

function createDebt(socket: Socket, milliseconds: number): Debt {
  let timer: NodeJS.Timeout | undefined;
  /** In the order in which they are answered. */
  const unanswered: IncomingMessage[] = [];

  function due(): void {
    clearTimeout(timer);
    if (!socket.destroyed) timer = setTimeout(() => socket.destroy(), milliseconds);
  }

  function paid(): void {
    clearTimeout(timer);
  }

  /** With pipelining, a connection owes nothing but the body of the first request that waits for an answer. */
  function request(incoming: IncomingMessage, response: ServerResponse): void {
    unanswered.push(incoming);
    if (unanswered.length === 1) bodyDue(incoming);
    response.once('close', () => {
      unanswered.shift();
      const [next] = unanswered;
      if (next === undefined) due();
      else bodyDue(next);
    });
  }

  /** Nobody reads those of the others yet, and then Node takes no more of them from the client. */
  function bodyDue(incoming: IncomingMessage): void {
    if (incoming.readableEnded || !hasBody(incoming)) {
      paid();
      return;
    }
    due();
    incoming.once('end', () => {
      if (unanswered[0] === incoming) paid();
    });
  }

  return { due, paid, request };
}

/** RFC 9112 §6.3: a request without these has no body; then nobody reads it, and it never emits `end`. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined;
}
