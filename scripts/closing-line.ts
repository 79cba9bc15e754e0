import { existsSync, readFileSync } from 'node:fs';
import Type from 'typebox';
import Value from 'typebox/value';

/** What is read of vitest's JSON report: every test file with its tests. */
const Report = Type.Object({
  testResults: Type.Array(
    Type.Object({
      status: Type.String(),
      assertionResults: Type.Array(Type.Object({ status: Type.String() })),
    }),
  ),
});

interface Count {
  readonly passed: number;
  readonly failed: number;
}

interface Verdict extends Count {
  readonly exitCode: number;
}

/** Counts tests; a file that failed without a failed test (it did not load, a hook threw) counts as one. */
function count(report: Type.Static<typeof Report>): Count {
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const failures = file.assertionResults.filter((test) => test.status === 'failed').length;
    passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    failed += file.status === 'failed' ? Math.max(failures, 1) : failures;
  }
  return { passed, failed };
}

/** The report, or an empty one where the run ended before it was written. */
function readReport(file: string): Type.Static<typeof Report> {
  return existsSync(file) ? Value.Parse(Report, JSON.parse(readFileSync(file, 'utf8'))) : { testResults: [] };
}

/** A run that ended badly never counts as one without failures, whatever made it end. */
function judge({ passed, failed }: Count, exitCode: number): Verdict {
  const empty = passed + failed === 0;
  const bad = exitCode !== 0 || failed > 0 || empty;
  return { passed, failed: bad ? Math.max(failed, 1) : 0, exitCode: bad ? exitCode || 1 : 0 };
}

/** All runs as one, which ends as the first of them that ended badly. */
function sum(verdicts: readonly Verdict[]): Verdict {
  return {
    passed: verdicts.reduce((total, { passed }) => total + passed, 0),
    failed: verdicts.reduce((total, { failed }) => total + failed, 0),
    exitCode: verdicts.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0,
  };
}

/** Of each run, the report and the exit code. */
function runsOf(words: readonly string[]): readonly Verdict[] {
  const [file = '', exitCode = '1', ...others] = words;
  const verdict = judge(count(readReport(file)), Number(exitCode));
  return others.length === 0 ? [verdict] : [verdict, ...runsOf(others)];
}

const { passed, failed, exitCode } = sum(runsOf(process.argv.slice(2)));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = exitCode;
