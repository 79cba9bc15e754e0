import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';

export const ADMIN_PASSWORD = 'of the admin';

export interface KeystoneServer extends AsyncDisposable {
  /** With `/v3` at its end. */
  readonly url: string;
  /** Ends the process at once. */
  kill(): Promise<void>;
  /** After `kill`: the same again, at the same place and with all it had. */
  restart(): Promise<void>;
}

const SCRIPT = join(import.meta.dirname, 'keystone/serve.py');

/** The one for which Debian's packages are, whatever other Python comes first on the path. */
const PYTHON = '/usr/bin/python3';

/** It takes five seconds on an idle machine, in milliseconds. */
const START = 180_000;

/**
 * A real Keystone in one process, on SQLite and a port of its own. In the domain Default it has the project admin, where
 * the user admin has the role admin. What it has is under one directory. Disposing ends it and leaves nothing.
 */
export async function startKeystone(): Promise<KeystoneServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-keystone-'));
  await writeFile(join(directory, 'keystone.conf'), configuration(directory));
  await mkdir(join(directory, 'keys'), { mode: 0o700 });
  // As `keystone-manage fernet_setup` would: the key 0 is the next one, the highest is in use.
  for (const name of ['0', '1']) await writeFile(join(directory, 'keys', name), fernetKey());

  let running = await serve(directory, '0');
  const { url } = running;

  async function kill(): Promise<void> {
    const { child, ended } = running;
    child.kill('SIGKILL');
    await ended;
  }

  return {
    url,
    kill,
    async restart() {
      running = await serve(directory, new URL(url).port);
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly url: string;
}

async function serve(directory: string, port: string): Promise<Running> {
  const file = (name: string): string => join(directory, name);
  const log = await open(file('log'), 'w');
  const args = [SCRIPT, file('keystone.conf'), file('keystone.db'), port, ADMIN_PASSWORD];
  const child = spawn(PYTHON, args, {
    cwd: directory,
    env: { PYTHONDONTWRITEBYTECODE: '1', PATH: '/usr/bin:/bin' },
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(child, 'exit');
  await log.close();
  const saysUrl = eventually(() => urlIn(file('log')), START);
  try {
    const url = await Promise.race([saysUrl, ended.then(() => Promise.reject(new Error('Keystone has ended')))]);
    return { child, ended, url };
  } catch (error) {
    const said = await readFile(file('log'), 'utf8');
    child.kill('SIGKILL');
    await rm(directory, { recursive: true });
    throw new Error(`Keystone does not start: ${said.slice(-2_000)}`, { cause: error });
  } finally {
    // Of the two, one may still be under way.
    saysUrl.catch(() => undefined);
  }
}

async function urlIn(log: string): Promise<string> {
  const [, url] = /^(http:.*)$/m.exec(await readFile(log, 'utf8')) ?? [];
  if (url === undefined) throw new Error('Keystone is not there yet');
  return url;
}

function fernetKey(): string {
  // With padding, unlike `base64url`.
  return randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The cache makes Keystone several times as fast, as do hashes of the fewest rounds. */
function configuration(directory: string): string {
  const keys = join(directory, 'keys');
  return `
[DEFAULT]
log_file =
use_stderr = true
[cache]
backend = oslo_cache.dict
enabled = true
[credential]
key_repository = ${keys}
[database]
connection = sqlite:///${join(directory, 'keystone.db')}
[fernet_receipts]
key_repository = ${keys}
[fernet_tokens]
key_repository = ${keys}
[identity]
password_hash_rounds = 4
[oslo_messaging_notifications]
driver = noop
`;
}
