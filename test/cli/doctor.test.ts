import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { publish, ROUTER, report } from '../api/api-under-test.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

test('a node with nothing wrong', async () => {
  expect(await bench.run('doctor')).toEqual({
    stdout: `LEVEL  CODE                  WHERE  SEEN
ok     capabilities_present  -      the daemon has the rights that it needs
ok     driver_library        -      the table was made by the library libnftables

0 problems and 0 warnings; looked at 0 routers with 0 forwards on node n1.
`,
    stderr: '',
    exit: 0,
  });
});

test('a problem, what to do, and the exit code', async () => {
  await bench.run('forward', 'add', '--no-wait', '--router', ROUTER, '--name', 'ssh', '5001', '192.168.50.11:22');
  const { stdout, stderr, exit } = await bench.run('doctor', 'ssh');
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 1 });
  expect(masked(stdout)).toContain(
    'this node does not have the router <id>\n\nWhat to do:\n  router_absent: If another node',
  );
  expect(stdout).toMatch(/\n1 problem and 0 warnings; looked at 0 routers with 1 forward on node n1\.\n$/);
  expect((await bench.runOnTerminal('doctor', 'ssh')).stdout).toContain('\u001b[31mproblem\u001b[0m');
});

test('for programs', async () => {
  await publish(bench.registry, report(1000, { error: 'it\u001b[2J fails' }));
  const json = await bench.run('doctor', '-o', 'json');
  expect(json.exit).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ problems: 1, routers: 1 });
  expect(parse((await bench.run('doctor', '-o', 'yaml')).stdout)).toEqual(JSON.parse(json.stdout));
  expect((await bench.run('doctor')).stdout).not.toContain('\u001b');
});

test('what there is not, and what excludes each other', async () => {
  expect(await bench.run('doctor', 'nothing')).toMatchObject({ stdout: '', exit: 3 });
  const { stderr, exit } = await bench.run('doctor', '--router', 'nowhere');
  expect({ stderr: stderr.split('\n')[0], exit }).toEqual({
    stderr: 'hatoba: --router: no node has a router nowhere',
    exit: 3,
  });
  expect(await bench.run('doctor', 'ssh', '--router', 'x')).toMatchObject({ stdout: '', exit: 2 });
});
