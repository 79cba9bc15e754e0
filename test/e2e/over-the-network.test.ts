import { copyFileSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import type { ConfigFile } from '../../src/daemon/config-schema.ts';
import { makeCertificate } from '../support/certificates.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';

interface Certificates {
  readonly one: { readonly certificate: string; readonly key: string };
  readonly two: { readonly certificate: string; readonly key: string };
}

async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-certificates-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return { one: makeCertificate(directory, 'one'), two: makeCertificate(directory, 'two') };
}

/** A daemon without routers, on a port that the system chooses. */
const openHome = (settings: ConfigFile) =>
  openDaemonHome({ roles: ['api'], listen: '127.0.0.1:0', authentication: 'tokens', ...settings });

const portOf = async (daemon: Daemon) => {
  const { msg } = await daemon.logged((line) => String(line['msg']).startsWith('listening on 127.'));
  return Number(/:(\d+)$/.exec(String(msg))?.[1]);
};

interface Asked {
  readonly port: number;
  readonly token?: string;
  /** The file of the certificate that is expected. */
  readonly trusted: string;
}

function ask({ port, token = '', trusted }: Asked): Promise<{ status: number | undefined; body: string }> {
  const options = { host: '127.0.0.1', port, ca: readFileSync(trusted), agent: false as const };
  return new Promise((resolve, reject) => {
    const asked = get({ ...options, path: '/v1/forwards', headers: { 'x-auth-token': token } }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    asked.once('error', reject);
  });
}

const issue = async (home: DaemonHome, name: string) => {
  const { stdout, exit } = await home.run('token', 'create', name, '--socket', home.socket);
  expect(exit).toBe(0);
  return stdout.trimEnd();
};

test('a token from the socket opens TCP over TLS, until it is revoked', async () => {
  const { one } = await makeCertificates();
  await using home = await openHome({ tls: one });
  const daemon = await home.start();
  const [port, token] = [await portOf(daemon), await issue(home, 'ci')];
  const asked = { port, token, trusted: one.certificate };
  expect((await ask(asked)).status).toBe(200);
  expect((await ask({ ...asked, token: 'guess' })).status).toBe(401);
  expect((await home.run('token', 'revoke', 'ci', '--socket', home.socket)).exit).toBe(0);
  expect((await ask(asked)).status).toBe(401);
  const { stdout } = await daemon.stop();
  expect(stdout).not.toContain(token.slice(7));
});

test('another certificate is served when its files change, and at SIGHUP', async () => {
  const { one, two } = await makeCertificates();
  await using home = await openHome({});
  const files = { certificate: join(home.directory, 'tls.crt'), key: join(home.directory, 'tls.key') };
  const put = ({ certificate, key }: Certificates['one']) => {
    copyFileSync(certificate, files.certificate);
    copyFileSync(key, files.key);
  };
  put(one);
  await using served = await openHome({ tls: files });
  const daemon = await served.start();
  const port = await portOf(daemon);
  expect((await ask({ port, trusted: one.certificate })).status).toBe(401);
  put(two);
  await daemon.logged(({ msg }) => msg === 'the certificate was replaced');
  expect((await ask({ port, trusted: two.certificate })).status).toBe(401);
  await expect(ask({ port, trusted: one.certificate })).rejects.toThrow();
  copyFileSync(one.key, files.key);
  process.kill(daemon.pid, 'SIGHUP');
  const { error } = await daemon.logged(({ msg }) => msg === 'the certificate stays as it was');
  expect(error).toContain(`${files.key} cannot be used for TLS`);
  expect((await ask({ port, trusted: two.certificate })).status).toBe(401);
});

test('a key that does not belong to the certificate keeps the daemon from starting', async () => {
  const { one, two } = await makeCertificates();
  await using home = await openHome({ tls: { certificate: one.certificate, key: two.key } });
  const { exit, stderr } = await home.launch().ended;
  expect(exit).toBe(1);
  expect(stderr).toContain(`hatoba: ${two.key} cannot be used for TLS: it does not belong to the certificate in`);
});

test('callers are limited as the configuration says, and the socket is not', async () => {
  const { one } = await makeCertificates();
  await using home = await openHome({ tls: one, rate_limit: { requests_per_second: 0.01, burst: 3 } });
  const port = await portOf(await home.start());
  const token = await issue(home, 'ci');
  const statuses: unknown[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await ask({ port, token, trusted: one.certificate })).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  for (let n = 0; n < 10; n++) await home.client.firstForwards();
});

test('without TLS a daemon that other machines can reach warns of that', async () => {
  await using home = await openHome({ listen: '0.0.0.0:0' });
  const daemon = await home.start();
  expect(daemon.log).toContainEqual(expect.objectContaining({ level: 40, msg: expect.stringMatching(/^tokens can/) }));
});
