import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { endRecordedProcess, recordedProcess, recordProcess } from '../../src/lab/process-record.ts';

const STUBBORN = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up');";
const OBEDIENT = "setInterval(() => {}, 1000); console.log('up');";

let directory = '';
let file = '';
let children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-process-'));
  file = join(directory, 'state/daemon.pid');
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(directory, { recursive: true });
});

async function start(script: string): Promise<{ readonly pid: number; readonly ended: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, ended };
}

test('a recorded process is found while it lives', async () => {
  const { pid, ended } = await start(OBEDIENT);
  await recordProcess(file, pid);
  expect(await recordedProcess(file)).toBe(pid);
  process.kill(pid, 'SIGKILL');
  await ended;
  expect(await recordedProcess(file)).toBeNull();
});

test('no record, no process', async () => {
  expect(await recordedProcess(file)).toBeNull();
  expect(await endRecordedProcess(file, 100)).toBe(false);
});

test('another process that has the id by now is left alone', async () => {
  const { pid } = await start(OBEDIENT);
  await recordProcess(file, pid);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/\d+\n$/, '1\n'));
  expect(await recordedProcess(file)).toBeNull();
  expect(await endRecordedProcess(file, 100)).toBe(false);
  expect(process.kill(pid, 0)).toBe(true);
});

describe('ending the recorded process', () => {
  test.each([
    ['asks first', OBEDIENT, 2_000, 'SIGTERM'],
    ['insists where asking does not help', STUBBORN, 200, 'SIGKILL'],
  ])('%s', async (_, script, patience, signal) => {
    const { pid, ended } = await start(script);
    await recordProcess(file, pid);
    expect(await endRecordedProcess(file, patience)).toBe(true);
    expect(await ended).toEqual([null, signal]);
    expect(existsSync(file)).toBe(false);
  });
});
