import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseAddress } from '../../src/model/address.ts';
import { OTHER_ROUTER, publish, ROUTER, report, STARTED_AT } from '../api/api-under-test.ts';
import { type CliBench, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

test('no routers', async () => {
  const { stdout, stderr, exit } = await bench.run('router', 'list');
  expect(stderr).toBe('no node has a router yet; they are found by themselves when their namespaces appear\n');
  expect({ stdout, exit }).toEqual({ stdout: '', exit: 0 });
});

test('routers in every form', async () => {
  const gateways = { 4: parseAddress('192.0.2.7'), 6: parseAddress('2001:db8::7') };
  await publish(
    bench.registry,
    report(0),
    report(0, { router: OTHER_ROUTER, gateways, error: 'the kernel refused' }),
    report(0, { router: 'edge', instances: ['edge'], gateways: {} }),
  );
  await bench.run('forward', 'add', '--no-wait', '--router', 'edge', '5001', '192.168.50.11');
  expect((await bench.run('router', 'list')).stdout).toBe(
    `ID                                    GATEWAYS               FORWARDS  NODES  PROBLEMS  ERROR
${ROUTER}  192.168.1.100          0         n1     0         -
${OTHER_ROUTER}  192.0.2.7 2001:db8::7  0         n1     0         the kernel refused
edge                                  -                      1         n1     0         -
`,
  );
  const json = JSON.parse((await bench.run('router', 'list', '-o', 'json')).stdout);
  expect(json).toMatchObject([
    { id: ROUTER, gateways: ['192.168.1.100'] },
    { id: OTHER_ROUTER },
    { id: 'edge', forwards: 1 },
  ]);
  expect(parse((await bench.run('router', 'list', '-o', 'yaml')).stdout)).toEqual(json);
  expect((await bench.run('router', 'list', '-o', 'csv')).stdout).toContain(
    `${OTHER_ROUTER},192.0.2.7 2001:db8::7,0,n1,qrouter-${OTHER_ROUTER},0,the kernel refused\r\n`,
  );
  expect((await bench.run('router', 'list', '-o', 'wide')).stdout).toContain(`qrouter-${ROUTER}`);
});

test('one router', async () => {
  await publish(bench.registry, report(0));
  const { stdout, exit } = await bench.run('router', 'show', `qrouter-${ROUTER}`);
  expect(stdout).toBe(
    `id:        ${ROUTER}
gateways:  192.168.1.100
forwards:  0
nodes:
  NODE  INSTANCES                                     GATEWAYS       REVISION  AT                        PROBLEMS  ERROR
  n1    qrouter-${ROUTER}  192.168.1.100  0         2026-01-02T03:04:06.000Z  0         -
`,
  );
  expect(exit).toBe(0);
  expect(JSON.parse((await bench.run('router', 'show', ROUTER, '-o', 'json')).stdout)).toMatchObject({ id: ROUTER });
  expect(await bench.run('router', 'show', 'none')).toMatchObject({ stdout: '', exit: 3 });
});

test('status', async () => {
  await publish(bench.registry, report(0));
  await bench.run('forward', 'add', '--no-wait', '--router', 'edge', '5001', '192.168.50.11');
  await bench.run('forward', 'add', '--no-wait', '5002', '192.168.50.11');
  const revision = bench.registry.forwards.revision();
  expect(await bench.run('status')).toEqual({
    stdout: `version:              0.1.0
node:                 n1
roles:                api agent
started_at:           ${STARTED_AT}
store:                sqlite:store.db
driver:               libnftables
revision:             ${revision}
routers:              1
forwards:             2 (1 pending, 1 waiting)
connection_tracking:  -
`,
    stderr: '',
    exit: 0,
  });
  expect(JSON.parse((await bench.run('status', '-o', 'json')).stdout)).toMatchObject({
    forwards: { total: 2, waiting: 1 },
  });
});
