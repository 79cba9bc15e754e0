import type { Server, Socket } from 'node:net';

/**
 * Closes connections at once where their remote address has so many already, so that one machine cannot have all that
 * there are. `keyOf`: by what machines are told apart; `null`: not limited.
 */
export function limitConnections(
  server: Server,
  most: number,
  keyOf: (address: string | undefined) => string | null,
): void {
  const open = new Map<string, number>();

  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket.remoteAddress);
    if (key === null) return;
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 0) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
    if (count > most) socket.destroy();
  });
}
