import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { limitConnections } from '../../../src/api/listen/connections.ts';
import { eventually } from '../../support/eventually.ts';

const MOST = 3;

/** Gives what opens a connection from an address of the loopback. */
async function serve(keyOf: (address: string | undefined) => string | null) {
  const server = createServer();
  limitConnections(server, MOST, keyOf);
  const served: Socket[] = [];
  server.on('connection', (socket) => served.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress }).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    return socket.resume();
  };
}

test('one address may have so many connections, and as many again as it closes', async () => {
  const open = await serve((address) => address ?? null);
  const first = Array.from({ length: MOST }, () => open('127.0.0.2'));
  await eventually(() => expect(first.map(({ readyState }) => readyState)).toEqual(Array(MOST).fill('open')));
  const beyond = open('127.0.0.2');
  await new Promise((resolve) => beyond.once('close', resolve));
  const other = open('127.0.0.3');
  await eventually(() => expect(other.readyState).toBe('open'));
  first[0]?.destroy();
  await eventually(async () => {
    const again = open('127.0.0.2');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(again.readyState).toBe('open');
  });
  expect([first[1]?.readyState, other.readyState]).toEqual(['open', 'open']);
});

test('where there is no key, there is no limit', async () => {
  const open = await serve(() => null);
  const all = Array.from({ length: 4 * MOST }, () => open('127.0.0.2'));
  await eventually(() => expect(all.map(({ readyState }) => readyState)).toEqual(all.map(() => 'open')));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(all.filter(({ destroyed }) => destroyed)).toEqual([]);
});
