import { readFileSync } from 'node:fs';
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
  const text = readFileSync(file, 'utf8');
  return text === '' ? { testResults: [] } : Value.Parse(Report, JSON.parse(text));
}

/** A run that ended badly never counts as one without failures, whatever made it end. */
function judge({ passed, failed }: Count, exitCode: number): Count & { readonly exitCode: number } {
  const empty = passed + failed === 0;
  const bad = exitCode !== 0 || failed > 0 || empty;
  return { passed, failed: bad ? Math.max(failed, 1) : 0, exitCode: bad ? exitCode || 1 : 0 };
}

const [file = '', exitCode = '1'] = process.argv.slice(2);
const verdict = judge(count(readReport(file)), Number(exitCode));
process.stdout.write(`${verdict.passed} passed, ${verdict.failed} failed\n`);
process.exitCode = verdict.exitCode;
