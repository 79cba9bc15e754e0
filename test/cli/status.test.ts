import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { OTHER_ROUTER, publish, ROUTER, report, STARTED_AT } from '../api/api-under-test.ts';
import { openCliBench } from './cli-under-test.ts';

test('hatoba status: everything in one look, and below it what is wrong', async () => {
  const usage = [
    { router: ROUTER, entries: 3, limit: 1000 },
    { router: OTHER_ROUTER, entries: 40, limit: 1000 },
  ];
  await using bench = await openCliBench({ flowUsage: async () => usage });
  expect((await bench.run('status')).stdout).toBe(`version:              0.1.0
node:                 n1
roles:                api agent
started_at:           ${STARTED_AT}
store:                sqlite:store.db
driver:               libnftables
revision:             0
routers:              0
forwards:             0
connection_tracking:  43 entries; the fullest router ${OTHER_ROUTER} has 40 of 1000 (4 %)
`);
  const ids: string[] = [];
  for (const port of [1, 2, 3, 4, 5, 6, 7]) {
    const words = [
      'forward',
      'add',
      '-q',
      '--no-wait',
      '--router',
      ROUTER,
      '--name',
      `p${port}`,
      `${port}`,
      '192.168.50.11',
    ];
    ids.push((await bench.run(...words)).stdout.trim());
  }
  const problems = Object.fromEntries(ids.map((id) => [id, { state: 'error', message: 'it is hopeless' } as const]));
  await publish(bench.registry, report(100, { problems }));
  const { stdout } = await bench.run('status');
  expect(stdout).toContain('forwards:             7 (7 error)\n');
  expect(stdout.slice(stdout.indexOf('errors:'))).toBe(
    [
      'errors:',
      `  WHAT                    ROUTER                                MESSAGE`,
      ...ids.slice(0, 5).map((id, index) => {
        return `  forward p${index + 1} (${id.slice(0, 8)}…)  ${ROUTER}  it is hopeless`;
      }),
      '  2 more                  -                                     `hatoba forward list --state error` shows all',
      '',
    ].join('\n'),
  );
  await publish(bench.registry, report(100, { error: 'another program has changed our table 21 times in a row' }));
  expect((await bench.run('status')).stdout).toContain(
    `errors:
  WHAT       ROUTER                                MESSAGE
  all on n1  ${ROUTER}  another program has changed our table 21 times in a row
`,
  );
});

test('for programs', async () => {
  await using bench = await openCliBench();
  const json = JSON.parse((await bench.run('status', '-o', 'json')).stdout);
  expect(json).toMatchObject({ node: 'n1', forwards_in_error: [], routers_in_error: [], connection_tracking: null });
  expect(parse((await bench.run('status', '-o', 'yaml')).stdout)).toEqual(json);
  expect((await bench.run('status')).stdout).toContain('connection_tracking:  -\n');
});
