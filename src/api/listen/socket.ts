import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, readFile, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { hatobaError, reasonOf } from '../../model/errors.ts';

const GROUP = 'hatoba';
const MODE = 0o660;

/**
 * Lets the API listen on a unix socket, for root and the group `hatoba` (where there is one) alone; to be
 * called before the API is ready. A socket at which nobody answers any more is replaced. The API's `close`
 * removes it. Errors: `daemon_running`, `socket_unusable`; then nothing has changed.
 */
export async function listenOnSocket(api: FastifyInstance, path: string): Promise<void> {
  await refuseOccupied(path);
  let published = false;
  // Before requests under way are waited for, so that from here on a successor can have the path.
  api.addHook('preClose', async () => {
    if (published) await rm(path, { force: true });
  });
  // Renamed only when its permissions are right, so that no client can connect too early; sockets have names of 107 bytes at most.
  const draft = `${path}.${randomBytes(4).toString('base64url')}`;
  try {
    await listenForOwner(() => api.listen({ path: draft, listenTextResolver: () => `listening on ${path}` }));
    await chmod(draft, MODE);
    await giveToGroup(draft);
    await rename(draft, path);
    published = true;
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Whatever the umask of the process is: a socket is for the owner alone until it is given its mode. */
async function listenForOwner(listen: () => Promise<unknown>): Promise<void> {
  const before = process.umask(0o077);
  try {
    await listen();
  } finally {
    process.umask(before);
  }
}

/** The number of a group in the form of /etc/group (group(5)); undefined: there is none of that name. */
export function groupId(name: string, groups: string): number | undefined {
  const fields = groups.split('\n').map((line) => line.split(':'));
  const id = fields.find(([group]) => group === name)?.[2];
  return id === undefined || !/^\d{1,10}$/.test(id) ? undefined : Number(id);
}

/** Only root may give files away; for anybody else the socket stays in a group of their own. */
async function giveToGroup(path: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  const id = groupId(GROUP, await readFile('/etc/group', 'utf8'));
  if (id !== undefined) await chown(path, 0, id);
}

/** Errors: `daemon_running` where somebody answers at the socket, `socket_unusable` where there is something else. */
export async function refuseOccupied(path: string): Promise<void> {
  if ((await kindOf(path)) === 'other') throw unusable(path, 'there is a file that is not a socket');
  await refuseRunning(path);
}

/** Error: `daemon_running` where somebody answers at the socket. */
export async function refuseRunning(path: string): Promise<void> {
  if ((await kindOf(path)) === 'socket' && (await answers(path))) throw hatobaError('daemon_running', { value: path });
}

async function kindOf(path: string): Promise<'none' | 'socket' | 'other'> {
  try {
    return (await lstat(path)).isSocket() ? 'socket' : 'other';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'none';
    throw unusable(path, error);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      if (codeOf(error) === 'ECONNREFUSED' || codeOf(error) === 'ENOENT') resolve(false);
      else reject(unusable(path, error));
    });
  });
}

function unusable(path: string, reason: unknown): Error {
  return hatobaError('socket_unusable', { value: path, reason: reasonOf(reason) }, { cause: reason });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
