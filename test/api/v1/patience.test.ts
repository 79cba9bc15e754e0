import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { signalOfClient } from '../../../src/api/v1/patience.ts';

async function openResponse() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const raw = await new Promise<ServerResponse>((resolve) =>
    server.once('request', (_, response) => resolve(response)),
  );
  return { client, raw };
}

test('the signal tells that the client goes', async () => {
  const { client, raw } = await openResponse();
  const signal = signalOfClient({ raw });
  expect(signal.aborted).toBe(false);
  client.destroy();
  await once(signal, 'abort');
});

test('the signal tells that the client has gone before', async () => {
  const { client, raw } = await openResponse();
  client.destroy();
  await once(raw, 'close');
  expect(signalOfClient({ raw }).aborted).toBe(true);
});
