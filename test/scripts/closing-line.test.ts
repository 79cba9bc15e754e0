import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../scripts/closing-line.ts');

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-closing-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** A test file of vitest's report: whether it failed, and how its tests ended. */
function file(status: string, ...tests: readonly string[]): object {
  return { status, assertionResults: tests.map((one) => ({ status: one })) };
}

/** What was reported of a run, if anything, and its exit code. */
type Run = readonly [testResults: readonly object[] | null, exitCode: number];

function closingLine(...runs: readonly Run[]): SpawnSyncReturns<string> {
  const words = runs.flatMap(([testResults, exitCode], index) => {
    const report = join(directory, `report-${index}.json`);
    rmSync(report, { force: true });
    if (testResults !== null) writeFileSync(report, JSON.stringify({ testResults }));
    return [report, String(exitCode)];
  });
  return spawnSync(process.execPath, [SCRIPT, ...words], { encoding: 'utf8' });
}

test.each([
  ['all is well', 0, [file('passed', 'passed', 'passed'), file('passed', 'passed')], '3 passed, 0 failed', 0],
  ['skipped tests count neither way', 0, [file('passed', 'passed', 'skipped', 'todo')], '1 passed, 0 failed', 0],
  ['a failed test', 1, [file('failed', 'passed', 'failed', 'failed')], '1 passed, 2 failed', 1],
  ['a file that did not load', 1, [file('failed'), file('passed', 'passed')], '1 passed, 1 failed', 1],
  ['all passed, and yet the run ended badly', 2, [file('passed', 'passed')], '1 passed, 1 failed', 2],
  ['a failed test that the run forgot', 0, [file('failed', 'failed')], '0 passed, 1 failed', 1],
  ['no test was run', 0, [], '0 passed, 1 failed', 1],
  ['nothing was reported', 2, null, '0 passed, 1 failed', 2],
])('%s', (_, exitCode, testResults, line, status) => {
  expect(closingLine([testResults, exitCode])).toMatchObject({ stdout: `${line}\n`, stderr: '', status });
});

const WELL = [file('passed', 'passed', 'passed')];

test.each<[string, Run, Run, string, number]>([
  ['both are well', [WELL, 0], [WELL, 0], '4 passed, 0 failed', 0],
  ['the first ended badly', [null, 2], [WELL, 0], '2 passed, 1 failed', 2],
  ['the second ended badly', [WELL, 0], [[file('failed', 'passed', 'failed')], 1], '3 passed, 1 failed', 1],
  ['the second executed no test', [WELL, 0], [[], 0], '2 passed, 1 failed', 1],
  ['both ended badly', [[file('failed', 'failed')], 3], [null, 2], '0 passed, 2 failed', 3],
])('of two runs, %s', (_, first, second, line, status) => {
  expect(closingLine(first, second)).toMatchObject({ stdout: `${line}\n`, stderr: '', status });
});
