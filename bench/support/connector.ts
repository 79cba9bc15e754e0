import { connect } from 'node:net';

/** Opens connections to ADDRESS PORT, so many AT_ONCE, for so many MILLISECONDS; prints how many came about. */
const [address = '', port, atOnce, duration] = process.argv.slice(2);
const end = performance.now() + Number(duration);
let opened = 0;

function next(): void {
  if (performance.now() >= end) return;
  const socket = connect({ host: address, port: Number(port) });
  socket.once('connect', () => {
    opened++;
    socket.resetAndDestroy(); // No TIME_WAIT, which would use up the ports.
    next();
  });
  socket.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}

for (let at = 0; at < Number(atOnce); at++) next();
process.on('exit', () => process.stdout.write(`${opened}\n`));
