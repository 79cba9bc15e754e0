import { expect, test } from 'vitest';
import { publish, report } from '../api/api-under-test.ts';
import { openCliBench } from './cli-under-test.ts';

test('node list', async () => {
  await using bench = await openCliBench();
  await publish(bench.registry, report(1));
  await publish(bench.registry, report(1, { node: 'n2', error: 'no' }));
  expect(await bench.run('node', 'list')).toEqual({
    stdout: [
      'NAME  ROUTERS  ERRORS  PROBLEMS  LAST_TOLD                 VERSION\n',
      'n1    1        0       0         2026-01-02T03:04:06.000Z  0.1.0\n',
      'n2    1        1       0         2026-01-02T03:04:06.000Z  -\n',
    ].join(''),
    stderr: '',
    exit: 0,
  });
  const { stdout } = await bench.run('node', 'list', '-o', 'csv');
  expect(stdout.split(/\r?\n/)[0]).toBe(
    'name,routers,errors,problems,last_told,version,roles,driver,started_at,answers',
  );
  expect(JSON.parse((await bench.run('node', 'list', '-o', 'json')).stdout)).toMatchObject([
    { name: 'n1', answers: true },
    { name: 'n2', answers: false },
  ]);
});
