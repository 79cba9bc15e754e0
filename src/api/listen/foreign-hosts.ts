import type { Server, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { hatobaError } from '../../model/errors.ts';
import { isLoopback } from '../access/local-callers.ts';

/**
 * Refuses on this server, whatever is asked for, what pages in somebody's browser could have sent: a site can let its own
 * name stand for 127.0.0.1 ("DNS rebinding"), and then it says that name here; or its pages can send forms and the like, the
 * answers to which they may not read, and then it says its name as their origin. To be called before the API is ready.
 * Error: `host_not_local`.
 */
export function refuseForeignHosts(api: FastifyInstance, server: Server): void {
  const sockets = new WeakSet<Socket>();
  const remember = (socket: Socket): unknown => sockets.add(socket);
  server.on('connection', remember);
  // Over TLS, requests come on a socket of their own.
  server.on('secureConnection', remember);
  api.addHook('onRequest', async ({ raw, hostname, headers: { origin } }) => {
    if (!sockets.has(raw.socket)) return;
    const foreign = [hostname, ...(origin === undefined ? [] : [hostOf(origin)])].find((host) => !isLoopback(host));
    if (foreign !== undefined) throw hatobaError('host_not_local', { value: foreign });
  });
}

/** `null`, which hides where a page is from, is no host. */
function hostOf(origin: string): string {
  return URL.parse(origin)?.hostname ?? origin;
}
