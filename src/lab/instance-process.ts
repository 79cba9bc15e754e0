import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { hatobaError } from '../model/errors.ts';
import { READY } from './instance.ts';
import { insideArguments } from './namespaces.ts';
import { endRecordedProcess, recordedProcess, recordProcess } from './process-record.ts';

const PATIENCE = 2_000;

/** Starts the instance's service in the namespace, as a process that outlives this one; false: it runs already. */
export async function startInstance(namespace: string, port: number, record: string): Promise<boolean> {
  if ((await recordedProcess(record)) !== null) return false;
  const service = [process.execPath, new URL('instance.ts', import.meta.url).pathname, String(port)];
  const child = spawn('nsenter', [...insideArguments(namespace), ...service], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ready = answered(child);
  if (child.pid !== undefined) await recordProcess(record, child.pid);
  await ready;
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  return true;
}

/** Ends the instance's service; false: it was not running. */
export function stopInstance(record: string): Promise<boolean> {
  return endRecordedProcess(record, PATIENCE);
}

/** Resolves when the service says that it listens. Error: `command_failed`, with what it said before it ended. */
function answered(child: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      reject(hatobaError('command_failed', { command: 'the instance', reason }));
    };
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.startsWith(READY)) resolve();
    });
    child.on('error', (error) => fail(error.message));
    child.on('close', (code) => fail(complaint.trim() || `it ended with ${code}`));
  });
}
