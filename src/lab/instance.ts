import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { EXIT } from '../model/error-catalogue.ts';
import { reasonOf } from '../model/errors.ts';

/** What the instance says on standard output when it answers. */
export const READY = 'ready';

/**
 * The service that plays an instance: greets every TCP connection with a line that says whom it sees, then
 * returns what it is sent; answers every UDP datagram with such a line. Resolves when it listens, by IPv4 and IPv6.
 */
export async function serveInstance(port: number): Promise<void> {
  const server = createServer(greet);
  server.listen(port);
  await once(server, 'listening');
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.on('message', (_, peer) => socket.send(greeting(peer.address, peer.port), peer.port, peer.address));
    socket.bind(port);
    await once(socket, 'listening');
  }
}

function greet(socket: Socket): void {
  // A peer that resets its connection is no reason to stop serving the others.
  socket.on('error', () => socket.destroy());
  socket.write(greeting(socket.remoteAddress ?? 'nobody', socket.remotePort ?? 0));
  socket.pipe(socket);
}

function greeting(address: string, port: number): string {
  return `Hello from the instance; I see you as ${address.replace(/^::ffff:/, '')} port ${port}.\n`;
}

if (import.meta.main) {
  try {
    await serveInstance(Number(process.argv[2]));
    process.stdout.write(`${READY}\n`);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exit(EXIT.failed);
  }
}
