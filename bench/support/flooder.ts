import { connect } from 'node:net';
import { runLoad } from './load.ts';

/**
 * A process that floods a daemon until it is ended: `flooder.ts URL CALLERS SLOW TOKEN…`. Callers ask for lists as fast as
 * they are answered, one in eight with a token that is not valid; slow clients send a head or a body bit by bit, or
 * nothing, or do not read, and come again when they are cut off. Says how many answers it had of which status.
 */
const [baseUrl = '', callers = '0', slow = '0', ...tokens] = process.argv.slice(2);
const { hostname, port } = new URL(baseUrl);

const HEAD = `host: ${hostname}\r\nx-auth-token: ${tokens[0]}\r\n`;
const SLOW = [
  '',
  `GET /v1/forwards HTTP/1.1\r\n${HEAD}x-slow: `,
  `POST /v1/forwards HTTP/1.1\r\n${HEAD}content-type: application/json\r\ncontent-length: 60000\r\n\r\n`,
  `GET /v1/forwards HTTP/1.1\r\n${HEAD}\r\n`.repeat(100),
];

function dawdle(sent: string): void {
  const socket = connect(Number(port), hostname, () => socket.write(sent));
  const drip = setInterval(() => socket.write(' '), 1_000);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(drip);
    if (!ended) setTimeout(dawdle, 100, sent);
  });
}

let ended = false;
process.once('SIGTERM', () => {
  ended = true;
});
for (let n = 0; n < Number(slow); n++) dawdle(SLOW[n % SLOW.length] ?? '');
const { statuses, seconds } = await runLoad({
  baseUrl,
  callers: Number(callers),
  next: (at, caller) => {
    const token = at % 8 === 0 ? 'guess' : (tokens[caller % tokens.length] ?? '');
    return ended ? null : { method: 'GET', path: '/v1/forwards', headers: { 'x-auth-token': token } };
  },
});
process.stdout.write(`${JSON.stringify({ statuses: Object.fromEntries(statuses), seconds })}\n`, () => process.exit());
