import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/daemon/config.ts';
import { parseConfig } from '../../src/daemon/config-file.ts';
import type { Config } from '../../src/daemon/config-schema.ts';
import { checkKeystone, keystoneOptions, openKeystone } from '../../src/daemon/keystone.ts';
import type { KeystoneKeys } from '../../src/daemon/keystone-schema.ts';
import { startStandIn } from '../openstack/keystone/stand-in.ts';
import { run } from '../support/command.ts';

const LEAST = { auth_url: 'http://192.0.2.1:5000/v3', username: 'hatoba', password: 'secret', project: 'service' };

let directory = '';
let config: Config;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-keystone-keys-'));
});

beforeEach(() => {
  config = { ...loadConfig({ config: fileWith('') }, {}), authentication: 'tokens' };
});

afterAll(() => rmSync(directory, { recursive: true }));

function fileWith(text: string): string {
  const file = join(directory, 'file');
  writeFileSync(file, text);
  return file;
}

/** The keys with others in place of some, or (`undefined`) without them. */
function keysWith(differences: Readonly<Record<string, unknown>>): KeystoneKeys {
  const given = Object.entries({ ...LEAST, ...differences }).filter(([, value]) => value !== undefined);
  const { keystone } = parseConfig('f', JSON.stringify({ keystone: Object.fromEntries(given) }));
  if (keystone === undefined || keystone === null) throw new Error('it was not read');
  return keystone;
}

describe('the keys', () => {
  test('have defaults', () => {
    expect(keystoneOptions(keysWith({}))).toEqual({
      authUrl: 'http://192.0.2.1:5000/v3',
      account: {
        username: 'hatoba',
        password: 'secret',
        userDomain: 'Default',
        project: 'service',
        projectDomain: 'Default',
      },
      ca: null,
      cacheSeconds: 60,
      roleNames: { admin: ['admin'], member: ['member'], reader: ['reader'] },
    });
  });

  test('all say something', () => {
    const keys = keysWith({
      user_domain: 'users',
      project_domain: 'projects',
      cache_seconds: 0,
      admin_roles: ['cloud_admin'],
      member_roles: ['member', '_member_'],
      reader_roles: [],
    });
    expect(keystoneOptions(keys)).toMatchObject({
      account: { userDomain: 'users', projectDomain: 'projects' },
      cacheSeconds: 0,
      roleNames: { admin: ['cloud_admin'], member: ['member', '_member_'], reader: [] },
    });
  });

  test.each([
    [{ auth_url: undefined }, "keystone must have required property 'auth_url'"],
    [{ auth_url: 'controller:5000' }, 'keystone.auth_url must be an address that begins with http:// or https://'],
    [{ auth_url: 'http://u:p@controller/' }, 'keystone.auth_url must be an address'],
    [{ auth_url: 'http://controller/?x' }, 'keystone.auth_url must be an address'],
    [{ auth_url: 'ftp://controller/' }, 'keystone.auth_url must be an address'],
    [{ password: undefined }, 'keystone needs either a password or a password_file'],
    [{ password_file: '/etc/password' }, 'keystone needs either a password or a password_file'],
    [{ password: undefined, password_file: 'here' }, 'keystone.password_file must match pattern'],
    [{ cache_seconds: -1 }, 'keystone.cache_seconds must be >= 0'],
    [{ cache_seconds: 3601 }, 'keystone.cache_seconds must be <= 3600'],
    [{ admin_roles: 'admin' }, 'keystone.admin_roles must be array'],
    [{ region: 'one' }, 'there is no key keystone.region'],
  ])('%j is refused: %s', (differences, message) => {
    expect(() => keysWith(differences)).toThrow(message);
  });

  test('null is no Keystone', async () => {
    expect(parseConfig('f', 'keystone: null')).toEqual({ keystone: null });
    expect(await openKeystone(config, pino({ enabled: false }))).toBeNull();
  });
});

describe('the file of the password', () => {
  const passwordIn = (text: string) =>
    keystoneOptions(keysWith({ password: undefined, password_file: fileWith(text) })).account.password;

  test.each(['two words', 'two words\n', 'two words\r\n', 'two words\nand more\n'])('%j has one', (text) => {
    expect(passwordIn(text)).toBe('two words');
  });

  test.each(['', '\n', '\nsecret\n'])('%j has none', (text) => {
    expect(() => passwordIn(text)).toThrow('there is no password in its first line');
  });

  test('has to be there', () => {
    const missing = join(directory, 'missing');
    const keys = keysWith({ password: undefined, password_file: missing });
    expect(() => keystoneOptions(keys)).toThrow(`${missing}: ENOENT`);
  });
});

describe('the file of authorities', () => {
  test('is read', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=authority'];
    await run('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert]);
    expect(keystoneOptions(keysWith({ ca_file: cert })).ca).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(() => keystoneOptions(keysWith({ ca_file: key }))).toThrow('does not begin with a certificate (PEM)');
  });
});

describe('at the start', () => {
  test('a Keystone that would not be asked is refused', () => {
    const asked: Config = { ...config, keystone: LEAST };
    expect(() => checkKeystone(asked)).not.toThrow();
    expect(() => checkKeystone({ ...asked, authentication: 'none' })).toThrow('write authentication: tokens');
    expect(() => checkKeystone({ ...config, authentication: 'none' })).not.toThrow();
  });

  test('so is a file that cannot be used', () => {
    const keystone = keysWith({ ca_file: fileWith('nothing') });
    expect(() => checkKeystone({ ...config, keystone })).toThrow('does not begin with a certificate');
  });
});

test('the log tells once that Keystone cannot be asked, and when it can again', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  await using server = await startStandIn();
  const keystone = await openKeystone({ ...config, keystone: { ...LEAST, auth_url: server.url } }, pino(sink));
  server.instead = (response) => response.writeHead(503).end();
  const token = server.issue();
  await expect(keystone?.identify(token)).rejects.toThrow();
  await expect(keystone?.identify(token)).rejects.toThrow();
  server.instead = null;
  await expect
    .poll(() => keystone?.identify(token).catch(() => null))
    .toMatchObject({ name: 'keystone alice@Default' });
  keystone?.close();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: 40,
      msg: 'Keystone cannot be asked about tokens',
      reason: 'the token cannot be checked at the moment: Keystone answers with 503',
    }),
    expect.objectContaining({ level: 30, msg: 'Keystone can be asked about tokens again' }),
  ]);
  expect(lines.join('')).not.toContain(token);
});
