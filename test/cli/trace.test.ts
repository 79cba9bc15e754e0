import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseAddress } from '../../src/model/address.ts';
import type { KernelWay, Observation } from '../../src/model/observation.ts';
import { OTHER_ROUTER, publish, ROUTER, report } from '../api/api-under-test.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

const FLOW = ['trace', '--from', '198.51.100.5', '--to', '192.168.1.100:5001'] as const;

async function add(...words: readonly string[]): Promise<void> {
  const { stderr, exit } = await bench.run('forward', 'add', '--no-wait', '--router', ROUTER, ...words);
  expect({ stderr: stderr.replace(/^hatoba: forward .* is stored.*\n/, ''), exit }).toEqual({ stderr: '', exit: 0 });
}

test('a packet that a forward takes', async () => {
  await publish(bench.registry, report(0));
  await add('--name', 'ssh', '5001', '192.168.50.11:22');
  await publish(bench.registry, report(1000));
  await publish(bench.registry, report(0, { node: 'n2' }));
  const { stdout, stderr, exit } = await bench.run(...FLOW);
  expect(masked(stdout)).toBe(
    `1. A tcp packet from 198.51.100.5 comes to router <id> for 192.168.1.100:5001.
2. Forward ssh (<id>…) 192.168.1.100:5001/tcp -> 192.168.50.11:22 takes it.
3. It leaves to 192.168.50.11:22, from 198.51.100.5 as before.
   If it came in by the inside interface by which it leaves, it leaves from the router's address instead, so that the answer comes back this way.
4. The answer comes from 192.168.50.11:22; the client sees it come from 192.168.1.100:5001.
5. Node n1 has it so in its kernel, at revision 1000.
   Node n2 does not have it so in its kernel, at revision 0: the node has not applied it yet.
`,
  );
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
});

test('a packet that no forward takes', async () => {
  await publish(bench.registry, report(1000));
  await add('--name', 'ssh', '--disabled', '--source', '203.0.113.0/24', '5001', '192.168.50.11:22');
  await add('5002', '192.168.50.12');
  expect(masked((await bench.run(...FLOW)).stdout)).toBe(
    `1. A tcp packet from 198.51.100.5 comes to router <id> for 192.168.1.100:5001.
2. No forward takes it: it is for the router itself.
   Forward ssh (<id>…) 192.168.1.100:5001/tcp -> 192.168.50.11:22 does not take it: it is disabled; 198.51.100.5 is not among its sources 203.0.113.0/24.
   Forward <id> 192.168.1.100:5002/tcp -> 192.168.50.12:5002 does not take it: it is for port 5002.
3. Node n1 has nothing else in its kernel, at revision 1000.
`,
  );
  await publish(bench.registry, report(0));
  expect((await bench.run(...FLOW)).stdout).toContain(
    '3. Node n1 may have something else in its kernel, at revision 0: the node has not applied every change yet.\n',
  );
});

test('a router without forwards, and one that no node has', async () => {
  await publish(bench.registry, report(0));
  const { stdout } = await bench.run('trace', '--from', '198.51.100.5:40000', '--to', '192.0.2.9:80');
  expect(stdout).toContain('1. A tcp packet from 198.51.100.5:40000 comes');
  expect(stdout).toContain(
    '2. No forward takes it, since the router has none: it goes on to 192.0.2.9:80 as it is.\n3. ',
  );
  await bench.run('forward', 'add', '--no-wait', '--router', 'edge', '5001', '192.168.50.11');
  const absent = await bench.run(...FLOW, '--router', 'edge');
  expect(absent.stdout).toContain(
    ' gateway:5001/tcp -> 192.168.50.11:5001 does not take it: no node has the router edge yet.\n',
  );
  expect(absent.stdout).toContain('3. No node has the router yet, so nothing of this is in a kernel.\n');
});

test('IPv6 in brackets, and other protocols', async () => {
  await publish(bench.registry, report(0, { gateways: { 6: parseAddress('2001:db8::1') } }));
  await add('--protocol', 'udp', '53', '[fd00::53]');
  const words = ['trace', '--protocol', 'udp', '--from', '[2001:db8:7::5]', '--to', '[2001:db8::1]:53'];
  const { stdout } = await bench.run(...words);
  expect(stdout).toContain('A udp packet from 2001:db8:7::5 comes to router');
  expect(stdout).toContain(' [2001:db8::1]:53/udp -> [fd00::53]:53 takes it.\n');
  expect(stdout).toContain('the client sees it come from [2001:db8::1]:53.\n');
});

test('for programs', async () => {
  await publish(bench.registry, report(0));
  await add('--name', 'ssh', '5001', '192.168.50.11:22');
  const json = JSON.parse((await bench.run(...FLOW, '-o', 'json')).stdout);
  expect(json).toMatchObject({
    router: ROUTER,
    packet: { source_port: null },
    forward: { name: 'ssh' },
    target: { address: '192.168.50.11', port: 22 },
  });
  expect(parse((await bench.run(...FLOW, '-o', 'yaml')).stdout)).toEqual(json);
});

test.for([
  [['--from', '198.51.100.5', '--to', '192.168.1.100'], '--to: 192.168.1.100 has no port; it is ADDRESS:PORT'],
  [
    ['--from', '2001:db8::5', '--to', '[2001:db8::1]:80'],
    '2001:db8::5 is not ADDRESS:PORT; IPv6 addresses stand in brackets: [2001:db8::1]:80',
  ],
  [
    ['--from', '2001', '--to', '192.168.1.100:80'],
    '--from: 2001 is a shortened or hexadecimal IPv4 address, which programs read differently',
  ],
  [
    ['--from', '[2001:db8::5]', '--to', '192.168.1.100:80'],
    '--from: no packet goes from 2001:db8::5 to 192.168.1.100, which is of another address family',
  ],
  [['--from', '198.51.100.5:0', '--to', '192.168.1.100:80'], '--from: port 0 does not exist'],
  [
    ['--from', '198.51.100.5', '--to', '192.168.1.100:80-81'],
    '--to: 80-81 is a range of ports, and a packet has one port',
  ],
  [
    ['--from', '198.51.100.5', '--to', '192.168.1.100:80', '--protocol', 'icmp'],
    '--protocol: icmp is not a protocol that has ports',
  ],
  [
    ['--from', '198.51.100.5', '--to', '192.168.1.100:80'],
    '--router: there are 2 routers, so it has to be said which one is meant',
  ],
] as const)('%j: %s', async ([words, message]) => {
  await publish(bench.registry, report(0), report(0, { router: OTHER_ROUTER }));
  const { stdout, stderr, exit } = await bench.run('trace', ...words);
  expect({ stdout, stderr: stderr.split('\n')[0], exit }).toEqual({
    stdout: '',
    stderr: `hatoba: ${message}`,
    exit: 2,
  });
});

test('flags that are missing, and a router that is not there', async () => {
  expect(await bench.run('trace', '--to', '192.168.1.100:80')).toMatchObject({ stdout: '', exit: 2 });
  expect(await bench.run(...FLOW, '--router', 'nobody')).toMatchObject({ stdout: '', exit: 3 });
});

describe('what the kernel does with a packet', () => {
  const ends = { source: '198.51.100.5', sourcePort: 4000 };
  const answer = { destination: '198.51.100.5', destinationPort: 4000 };
  const base = { type: 'nat', hook: 'prerouting', priority: -110 };
  const jump = { table: 'inet hatoba', chain: 'prerouting', base, handle: 1, ours: true };
  const guard = {
    table: 'ip filter',
    chain: 'FORWARD',
    base: { ...base, type: 'filter', hook: 'forward' },
    ours: false,
  };
  const drop = { ...guard, handle: 3, rule: 'tcp sport 22 drop', verdict: 'drop' };
  const way: KernelWay = {
    arrived: { ...ends, destination: '192.168.1.100', destinationPort: 5001 },
    from: 'qg-x',
    steps: [
      { ...jump, rule: 'jump translate', verdict: 'jump translate' },
      { ...jump, chain: 'translate', base: null, rule: 'dnat ip to … map @exact4', verdict: 'accept' },
      { ...guard, handle: 2, rule: null, verdict: 'continue' },
      { ...guard, handle: null, rule: null, verdict: 'accept' },
    ],
    outcome: 'forwarded',
    left: { ...ends, destination: '192.168.50.11', destinationPort: 22 },
    to: 'qr-x',
  };
  const reply: KernelWay = {
    arrived: { source: '192.168.50.11', sourcePort: 22, ...answer },
    from: 'qr-x',
    steps: [],
    outcome: 'forwarded',
    left: { source: '192.168.1.100', sourcePort: 5001, ...answer },
    to: 'qg-x',
  };

  async function traced(observation: Partial<Observation> | null, ...words: readonly string[]) {
    const seen = { instance: 'qrouter-x', way, knownFlow: false, reply, legacyTables: [], ...observation };
    await using live = await openCliBench({ observe: async () => observation && seen });
    await publish(live.registry, report(1000));
    await live.run('forward', 'add', '--no-wait', '--router', ROUTER, '5001', '192.168.50.11:22');
    const { stdout, stderr, exit } = await live.run(...FLOW, '--live', ...words);
    return { told: stdout.slice(stdout.indexOf('\n\n') + 2), stdout, stderr, exit };
  }

  test('as compiled, with its answer', async () => {
    const { told, stderr, exit } = await traced({});
    expect(told).toBe(`A packet came to qrouter-x on node n1.
It came by qg-x from 198.51.100.5:4000 to 192.168.1.100:5001.
   inet hatoba prerouting (nat, prerouting, priority -110), ours
      jump translate
   inet hatoba translate, ours
      dnat ip to … map @exact4: accept
   ip filter FORWARD (filter, forward, priority -110)
      rule with handle 2: continue
      policy: accept
It left by qr-x from 198.51.100.5:4000 to 192.168.50.11:22.

The answer came.
It came by qr-x from 192.168.50.11:22 to 198.51.100.5:4000.
It left by qg-x from 192.168.1.100:5001 to 198.51.100.5:4000.

The kernel did as compiled: the packet and its answer got through.
`);
    expect({ stderr, exit }).toEqual({
      stderr: 'waiting up to 10 s for a tcp packet from 198.51.100.5 to 192.168.1.100:5001: make one now\n',
      exit: 0,
    });
  });

  test('otherwise', async () => {
    const dropped: KernelWay = { ...way, outcome: 'dropped', left: null, to: null };
    const { told } = await traced({ way: dropped, reply: null, legacyTables: ['filter', 'nat'] });
    expect(told).toContain(
      '\nThere it was dropped.\n\nThe kernel did something else than what was compiled: it was dropped by ',
    );
    expect(told).toContain('iptables-legacy, too (filter, nat)');
    const known = await traced({ knownFlow: true, reply: null, way: { ...way, from: null } });
    expect(known.told).toContain('\nIt came from the router itself from 198.51.100.5:4000');
    expect(known.told).toContain('\nConnection tracking knew its flow, and led it as that had begun');
    expect(known.told).toContain('\nNo answer was seen within a second.\n');
    expect(known.told).toContain('Whether the target answers is not known: no answer came to the router.');
    const stopped = await traced({ reply: { ...reply, outcome: 'dropped', left: null, to: null, steps: [drop] } });
    expect(stopped.told).toContain(
      '\nThere it was dropped.\n\nThe kernel did as compiled with the packet, but its answer did not get through: it was dropped by a rule of chain FORWARD of table ip filter, tcp sport 22 drop.\n',
    );
    expect(stopped.told.match(/as compiled/g)).toHaveLength(1);
  });

  test('nobody came', async () => {
    const { stdout, stderr, exit } = await traced(null, '--timeout', '3');
    expect(stdout).toMatch(/^1\. .*\n2\. /);
    expect(stderr).toContain('waiting up to 3 s for');
    expect(stderr).toContain('hatoba: no such packet came to the router on node n1 within 3 s\n');
    expect(exit).toBe(7);
  });

  test('for programs', async () => {
    const { stdout } = await traced({}, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ live: { packet: { as_compiled: true, way: { from: 'qg-x' } } } });
  });

  test.each([
    [['--timeout', '5'], '--timeout is for --live only'],
    [['--live', '--timeout', 'soon'], '--timeout: soon is not a number of seconds'],
    [['--live', '--timeout', '90'], '--timeout: the request is not understood: timeout must be <= 60'],
  ] as const)('%j: %s', async ([...words], message) => {
    await publish(bench.registry, report(0));
    const { stderr, exit } = await bench.run(...FLOW, ...words);
    expect(stderr).toContain(`hatoba: ${message}\n`);
    expect(exit).toBe(2);
  });
});
