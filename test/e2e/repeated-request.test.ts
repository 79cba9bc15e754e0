import { request } from 'node:http';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { bootMachine } from '../support/machine.ts';

const BODY = JSON.stringify({ name: 'ssh', router: 'edge-1', external_port: 5001, internal_address: '10.0.0.1' });
const HEADERS = { 'content-type': 'application/json', 'idempotency-key': '"8e03978e-40d5-43e8-bc93-6894a57f9324"' };

/** The request again, whole: its status, headers and body. */
async function send(socketPath: string): Promise<readonly [number | undefined, unknown, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly [number | undefined, unknown, string]>();
  const options = { socketPath, method: 'POST', path: '/v1/forwards', headers: HEADERS };
  const sending = request(options, (answer) => {
    const { statusCode, headers } = answer;
    text(answer).then((body) => resolve([statusCode, headers['idempotency-replayed'], body]), reject);
  });
  sending.once('error', reject).end(BODY);
  return promise;
}

/** The request, of whose answer nobody waits for a byte. */
function sendAndGo(socketPath: string): void {
  const head = Object.entries({ ...HEADERS, host: 'localhost', 'content-length': String(BODY.length) });
  const lines = ['POST /v1/forwards HTTP/1.1', ...head.map(([name, value]) => `${name}: ${value}`)];
  const connection = createConnection(socketPath, () => connection.end(`${lines.join('\r\n')}\r\n\r\n${BODY}`));
  connection.once('finish', () => connection.destroy()).on('error', () => undefined);
}

test('a request with a key adds one forward, though its answer got lost and the daemon was killed and started again', async () => {
  await using machine = await bootMachine();
  const routers = [{ namespace: 'edge-*', outside: ['qg-'], inside: [] }];
  await using home = await openDaemonHome({ neutron: false, routers }, machine);
  const first = await home.start();
  sendAndGo(home.socket);
  await eventually(async () => expect(await home.client.listForwards({})).toHaveLength(1));
  await first.kill();

  const second = await home.start();
  const [made] = await home.client.listForwards({});
  const [status, replayed, body] = await send(home.socket);
  expect([status, replayed]).toEqual([201, 'true']);
  expect(JSON.parse(body)).toMatchObject({ id: made?.id, name: 'ssh', revision: made?.revision });
  expect(await home.client.listForwards({})).toHaveLength(1);
  expect(second.log.filter(({ msg }) => msg === 'audit')).toEqual([]);
  expect(first.log.filter(({ msg }) => msg === 'audit')).toMatchObject([
    { audit: { caller: 'socket', from: 'socket', operation: 'POST /v1/forwards', ids: [made?.id] } },
  ]);
});
