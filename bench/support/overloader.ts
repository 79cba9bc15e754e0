import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { printForwardSpec } from '../../src/model/forward.ts';
import { specOf } from './seed.ts';

/**
 * A process that asks a daemon for more than anyone reads: `overloader.ts SOCKET PORT ROUTER COUNT TENANT READER`. It opens
 * event streams that are not read with the token TENANT, and some that are read with the token READER; then it applies
 * COUNT forwards at once, asks for backups and pipelines requests for lists that it does not read, and applies them again,
 * changed. Says which statuses it had, and ends when it is told to.
 */
const [socketPath = '', port = '0', router = '', count = '0', tenant = '', reader = ''] = process.argv.slice(2);

const UNREAD_STREAMS = 120;
const READ_STREAMS = 20;
const BACKUPS = 20;
const LIST_CLIENTS = 40;
const PIPELINED = 16;

const sockets: Socket[] = [];
const overTcp = () => track(connect(Number(port), '127.0.0.1'));
const overSocket = () => track(connect(socketPath));

function track(socket: Socket): Socket {
  sockets.push(socket);
  return socket.on('error', () => undefined);
}

function get(path: string, token: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${token === '' ? '' : `x-auth-token: ${token}\r\n`}\r\n`;
}

/** The status of the answer and how many bytes it had, once the connection is closed. */
function exchange(socket: Socket, text: string): Promise<{ readonly status: string; readonly bytes: number }> {
  socket.write(text);
  let [status, bytes] = ['none', 0];
  socket.on('data', (chunk: Buffer) => {
    if (bytes === 0) status = chunk.toString('latin1', 9, 12);
    bytes += chunk.length;
  });
  return new Promise((resolve) => void socket.once('close', () => resolve({ status, bytes })));
}

async function apply(enabled: boolean): Promise<string> {
  const forwards = Array.from({ length: Number(count) }, (_, at) => ({
    ...printForwardSpec(specOf(router, at)),
    enabled,
  }));
  const body = JSON.stringify({ forwards });
  const head = `POST /v1/apply?wait=60 HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n`;
  const { status, bytes } = await exchange(overSocket(), `${head}content-length: ${body.length}\r\n\r\n${body}`);
  return `${status} (${Math.round(bytes / 1024 / 1024)} MiB)`;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

for (let n = 0; n < UNREAD_STREAMS; n++) overTcp().pause().write(get('/v1/events', tenant));
for (let n = 0; n < READ_STREAMS; n++) overTcp().resume().write(get('/v1/events', reader));
await pause(2_000);
say(`apply: ${await apply(true)}`);
const backups = Array.from({ length: BACKUPS }, () =>
  exchange(overSocket(), get('/v1/backup', '').replace('host', 'connection: close\r\nhost')),
);
for (let n = 0; n < LIST_CLIENTS; n++) {
  overSocket().pause().write(get('/v1/forwards?limit=10000&sort=name', '').repeat(PIPELINED));
}
const again = apply(false);
const statuses = Map.groupBy(await Promise.all(backups), ({ status }) => status);
say(`backups: ${Array.from(statuses, ([status, own]) => `${own.length} of status ${status}`).join(', ')}`);
say(`apply again: ${await again}`);
await pause(2_000);
say('done');
for (const socket of sockets) socket.destroy();
