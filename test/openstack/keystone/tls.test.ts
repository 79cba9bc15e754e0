import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../support/command.ts';
import { keystoneOf } from './keystone-under-test.ts';
import { startStandIn, type Tls } from './stand-in.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-tls-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** A certificate for the name or address, that vouches for itself. */
async function certify(name: string): Promise<Tls> {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=keystone', '-addext', `subjectAltName=${name}`];
  await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert]);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

test('Keystone is believed with a certificate of the authority that is configured', async () => {
  const tls = await certify('IP:127.0.0.1');
  await using server = await startStandIn(tls);
  using keystone = keystoneOf(server.url, { ca: tls.cert });
  expect(await keystone.identify(server.issue())).toMatchObject({ name: 'keystone alice@Default' });
});

test.each<[string, string, boolean]>([
  ['an authority that nobody knows', 'IP:127.0.0.1', false],
  ['a certificate for another name', 'DNS:keystone.example', true],
])('but not with %s', async (_, name, trusted) => {
  const tls = await certify(name);
  await using server = await startStandIn(tls);
  using keystone = keystoneOf(server.url, { ca: trusted ? tls.cert : null });
  await expect(keystone.identify(server.issue())).rejects.toMatchObject({ code: 'authentication_unavailable' });
  expect(server.requests).toEqual([]);
});
