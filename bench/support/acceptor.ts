import { createServer } from 'node:net';

/** Takes every connection and drops it, on the port of the first argument; writes a line once it listens. */
const server = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.resume();
});
server.listen({ host: '0.0.0.0', port: Number(process.argv[2]), backlog: 4096 }, () => {
  process.stdout.write('listening\n');
});
