import { spawnSync } from 'node:child_process';
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
  const report = join(directory, 'report.json');
  writeFileSync(report, testResults === null ? '' : JSON.stringify({ testResults }));
  const run = spawnSync(process.execPath, [SCRIPT, report, String(exitCode)], { encoding: 'utf8' });
  expect(run).toMatchObject({ stdout: `${line}\n`, stderr: '', status });
});
