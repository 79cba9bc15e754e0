import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { run } from '../../support/command.ts';

const CALL = { method: 'GET', path: '/v2.0/', headers: [['Host', 'here'] as const], body: null };

let directory = '';
let server: Server;
let url: URL;
let ca = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-upstream-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=neutron', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
  ca = readFileSync(cert, 'utf8');
  server = createServer({ key: readFileSync(key), cert: ca }, ({ url: path }, response) => {
    if (path !== '/silent') response.end('hello');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  url = new URL(`https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

describe('a Neutron behind TLS', () => {
  test('is believed with a certificate of the authority that is configured', async () => {
    const answer = await createUpstream(url, { ca }).send(CALL);
    expect(answer.statusCode).toBe(200);
    answer.resume();
  });

  test('but not with one that nobody vouches for', async () => {
    await expect(createUpstream(url).send(CALL)).rejects.toMatchObject({
      code: 'neutron_unavailable',
      message: expect.stringContaining('SELF_SIGNED'),
    });
  });
});

test('closing ends the calls that are under way', async () => {
  const upstream = createUpstream(url, { ca });
  const call = upstream.send({ ...CALL, path: '/silent' });
  const refused = expect(call).rejects.toMatchObject({ code: 'neutron_unavailable' });
  await once(server, 'request');
  upstream.close();
  await refused;
});

/** Listens, and takes no connection: it is asleep. */
const DEAF = `
  const server = require('node:net').createServer();
  server.listen(0, '127.0.0.1', 1, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

test('one that takes no connection is given up as soon as that takes too long', async () => {
  const deaf = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(deaf.stdout, 'data');
  const crowd = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  try {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const patience = { connecting: 300, answering: 60_000 };
    const call = createUpstream(new URL(`http://127.0.0.1:${port}`), { patience }).send(CALL);
    await expect(call).rejects.toMatchObject({ code: 'neutron_unavailable', cause: { message: 'it is silent' } });
  } finally {
    for (const socket of crowd) socket.destroy();
    deaf.kill('SIGKILL');
  }
});
