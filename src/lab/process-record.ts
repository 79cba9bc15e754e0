import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hatobaError } from '../model/errors.ts';

const CHECK_EVERY = 20;

/**
 * Writes down, in a file of its own, which process this is: its id and when it started, since an id alone
 * may belong to another process later.
 */
export async function recordProcess(file: string, pid: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${pid} ${(await startOf(pid)) ?? 'gone'}\n`);
}

/** The id of the recorded process; null: none is recorded, or it has ended. */
export async function recordedProcess(file: string): Promise<number | null> {
  const [pid, start] = (await contentOf(file))?.split(/\s+/) ?? [];
  if (pid === undefined || start === undefined) return null;
  return (await startOf(Number(pid))) === start ? Number(pid) : null;
}

/** Ends the recorded process, and waits until it is gone; removes the record. False: there was none. */
export async function endRecordedProcess(file: string, patience: number): Promise<boolean> {
  const pid = await recordedProcess(file);
  if (pid !== null) await endProcess(pid, patience);
  await rm(file, { force: true });
  return pid !== null;
}

/** Asks the process to end; after `patience` milliseconds makes it. Error: `command_failed`, it lives on. */
export async function endProcess(pid: number, patience: number): Promise<void> {
  const start = await startOf(pid);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!send(pid, signal)) return;
    for (let waited = 0; waited < patience; waited += CHECK_EVERY) {
      if (start === null || (await startOf(pid)) !== start) return;
      await sleep(CHECK_EVERY);
    }
  }
  throw hatobaError('command_failed', { command: `kill -KILL ${pid}`, reason: 'the process does not end' });
}

/** False: there is no such process any more. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * When the process started, in clock ticks since boot; null: it is gone or a zombie. Fields 3 and 22 of
 * /proc/PID/stat (proc_pid_stat(5)), counted behind the command's name, which may itself hold spaces.
 */
async function startOf(pid: number): Promise<string | null> {
  const stat = await contentOf(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields === undefined || fields[0] === 'Z') return null;
  return fields[19] ?? null;
}

async function contentOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null;
    throw error;
  }
}
