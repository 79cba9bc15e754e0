import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endRecordedProcess, recordedProcess, recordProcess } from '../src/lab/process-record.ts';
import { hatobaError } from '../src/model/errors.ts';
import { HATOBA, SOCKET, STATE_DIRECTORY } from './practice.ts';

const RECORD = join(STATE_DIRECTORY, 'daemon.pid');
const DATABASE = join(STATE_DIRECTORY, 'hatoba.db');

/** Where the daemon of `make up` writes what happens. */
export const LOG = join(STATE_DIRECTORY, 'daemon.log');

/** How long the daemon may take to start or to stop, in milliseconds. */
const PATIENCE = 15_000;
const CHECK_EVERY = 50;

/** How hatoba's commands begin the line that tells an error. */
const ERROR_MARK = 'hatoba: ';

/**
 * Starts the daemon as a process that outlives this one, and waits until it answers; false: it was running.
 * Errors: `daemon_running`, another one has the socket; `command_failed`, with the end of its log.
 */
export async function startDaemon(): Promise<boolean> {
  if ((await recordedProcess(RECORD)) !== null) return false;
  if (await daemonAnswers()) throw hatobaError('daemon_running', { value: SOCKET });
  await mkdir(STATE_DIRECTORY, { recursive: true });
  await launch();
  await untilItAnswers();
  return true;
}

/** Ends the daemon; the forwards stay in the kernel. False: none was running. */
export function stopDaemon(): Promise<boolean> {
  return endRecordedProcess(RECORD, PATIENCE);
}

/** Whether anybody takes connections at the socket. */
export function daemonAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(SOCKET);
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function launch(): Promise<void> {
  const log = await open(LOG, 'a');
  const daemon = spawn(HATOBA, ['serve', '--store', `sqlite:${DATABASE}`, '--socket', SOCKET], {
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const launched = new Promise<void>((resolve, reject) => {
    daemon.on('spawn', resolve).on('error', (error) => reject(failure(error.message)));
  });
  await launched;
  if (daemon.pid !== undefined) await recordProcess(RECORD, daemon.pid);
  daemon.unref();
  await log.close();
}

async function untilItAnswers(): Promise<void> {
  for (let waited = 0; waited < PATIENCE; waited += CHECK_EVERY) {
    if (await daemonAnswers()) return;
    if ((await recordedProcess(RECORD)) === null) throw failure(await lastWords());
    await sleep(CHECK_EVERY);
  }
  throw failure(`it does not answer; ${LOG} says more`);
}

function failure(reason: string): Error {
  return hatobaError('command_failed', { command: 'hatoba serve', reason });
}

/** What the daemon said before it ended; its hint comes after its error. */
async function lastWords(): Promise<string> {
  const lines = (await readFile(LOG, 'utf8')).trimEnd().split('\n');
  return lines.findLast((line) => line.startsWith(ERROR_MARK))?.slice(ERROR_MARK.length) ?? lines.at(-1) ?? '';
}
