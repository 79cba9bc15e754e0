import { connect } from 'node:net';
import { median } from './statistics.ts';

/** Opens connections to ADDRESS PORT, COUNT of them, one after the other; prints the median of what each took, in ms. */
const [address = '', port, count] = process.argv.slice(2);

function timeOfConnect(): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket = connect({ host: address, port: Number(port) });
    socket.once('connect', () => {
      const time = performance.now() - started;
      socket.resetAndDestroy(); // No TIME_WAIT, which would use up the ports.
      resolve(time);
    });
    socket.once('error', reject);
  });
}

const times: number[] = [];
for (let at = 0; at < Number(count); at++) times.push(await timeOfConnect());
process.stdout.write(`${median(times)}\n`);
