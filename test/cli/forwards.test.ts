import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { LocalNode } from '../../src/api/local-node.ts';
import { STATES } from '../../src/cli/output/states.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { FORWARD_STATES } from '../../src/model/status.ts';
import { liveNode, OTHER_ROUTER, publish, ROUTER, report } from '../api/api-under-test.ts';
import { setClockForward } from '../support/clock.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

/** A node has the router and applies every change at once. */
async function withNode(): Promise<void> {
  await publish(bench.registry, report(0));
  liveNode(bench.registry);
}

test('the states are those of the model', () => {
  expect([...STATES].sort()).toEqual([...FORWARD_STATES].sort());
});

describe('forward add', () => {
  test('says that it is active, and after how long', async () => {
    await withNode();
    const { stdout, stderr, exit } = await bench.run('forward', 'add', '--name', 'web', '5001', '192.168.50.11:22');
    expect(stdout).toMatch(
      /^forward web \([\da-f]{8}…\) 192\.168\.1\.100:5001\/tcp -> 192\.168\.50\.11:22 is active after \d+\.\d m?s\n$/,
    );
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  });

  test('takes the name of a protocol in any case, as all commands do', async () => {
    await withNode();
    const added = await bench.run('forward', 'add', '--protocol', 'UDP', '5002', '192.168.50.11:53');
    expect(added.stdout).toContain('192.168.1.100:5002/udp -> 192.168.50.11:53');
    const list = await bench.run('forward', 'list', '--protocol', 'Udp', '-o', 'name');
    expect(list.stdout.trim().split('\n')).toHaveLength(1);
    const reference = bench.registry.forwards.list()[0]?.id ?? '';
    expect((await bench.run('forward', 'set', reference, '--protocol', 'SCTP')).exit).toBe(0);
    expect(bench.registry.forwards.list().map(({ protocol }) => protocol)).toEqual(['sctp']);
    const trace = await bench.run(
      'trace',
      '--protocol',
      'SCTP',
      '--from',
      '198.51.100.1:1',
      '--to',
      '192.168.1.100:5002',
    );
    expect(trace.stdout).toContain('192.168.50.11:53');
  });

  test('hands everything on', async () => {
    await withNode();
    const words = [
      '--router',
      `qrouter-${ROUTER}`,
      '--protocol',
      'udp',
      '--name',
      'dns',
      '--description',
      'a name server',
    ];
    const more = ['--label', 'tier=1', '--label', 'owner=a=b', '--project', 'p1', '--disabled', '-o', 'json'];
    const { stdout } = await bench.run('forward', 'add', ...words, ...more, '[2001:db8::1]:53', '[fd00::53]');
    expect(JSON.parse(stdout)).toMatchObject({
      router: ROUTER,
      protocol: 'udp',
      name: 'dns',
      description: 'a name server',
      labels: { tier: '1', owner: 'a=b' },
      project_id: 'p1',
      enabled: false,
      external_address: '2001:db8::1',
      external_port: '53',
      internal_address: 'fd00::53',
      internal_port: '53',
      status: { state: 'disabled' },
    });
  });

  test('takes the beginning of a router id, as tables show it', async () => {
    await withNode();
    const { exit, stdout } = await bench.run(
      'forward',
      'add',
      '--router',
      ROUTER.slice(0, 8),
      '5001',
      '192.168.50.11',
      '-o',
      'json',
    );
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ router: ROUTER, internal_port: '5001' });
  });

  test('says what it waits for where no node has the router', async () => {
    const { stdout, stderr, exit } = await bench.run('forward', 'add', '--router', 'edge', '5001', '192.168.50.11');
    expect(masked(stdout)).toBe(
      'forward <id> gateway:5001/tcp -> 192.168.50.11:5001 is waiting: no node has the router edge yet\n',
    );
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  });

  test('names what stands in the way of a stored forward', async () => {
    await publish(bench.registry, report(0));
    const { id } = JSON.parse(
      (await bench.run('forward', 'add', '5001', '192.168.50.11', '--no-wait', '-o', 'json')).stdout,
    );
    const problems = {
      [id]: { state: 'pending', message: 'the router has no IPv4 gateway address at present' },
    } as const;
    await publish(bench.registry, report(1000, { problems }));
    const { stdout, stderr, exit } = await bench.run('forward', 'set', id, '--name', 'web');
    expect(masked(stdout)).toContain('is pending: the router has no IPv4 gateway address at present\n');
    expect(masked(stderr)).toBe(
      'hatoba: forward web (<id>…) is stored, but the router has no IPv4 gateway address at present\n',
    );
    expect(exit).toBe(0);
  });

  test('fails where it cannot be applied', async () => {
    await publish(bench.registry, report(0, { error: 'the kernel refused a change' }));
    const { stdout, stderr, exit } = await bench.run('forward', 'add', '-q', '5001', '192.168.50.11');
    expect(masked(stdout)).toBe('<id>\n');
    expect(masked(stderr)).toBe(
      'hatoba: forward <id> is stored, but cannot be applied: the kernel refused a change\n' +
        '  hint: `hatoba forward show` tells its state on each node.\n',
    );
    expect(exit).toBe(1);
  });

  test('tells an id, and that it waited in vain', async () => {
    await publish(bench.registry, report(0));
    const { stdout, stderr, exit } = await bench.run('forward', 'add', '-q', '--wait', '0.05', '5001', '192.168.50.11');
    expect(masked(stdout)).toBe('<id>\n');
    expect(stderr).toMatch(
      /is stored, but was not in the kernel after \d\.\d s: the node has not applied it yet\n {2}hint: /,
    );
    expect(exit).toBe(7);
  });

  test('does not wait where it is told not to', async () => {
    await publish(bench.registry, report(0));
    const { stdout, stderr, exit } = await bench.run('forward', 'add', '--no-wait', '5001', '192.168.50.11');
    expect(masked(stdout)).toContain('is pending: the node has not applied it yet\n');
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
  });

  test.each([
    [['70000', '192.168.50.11'], 'argument external: port 70000 does not exist', 2],
    [['192.0.2.1', '192.168.50.11'], 'argument external: 192.0.2.1 is not a port or a range of ports', 2],
    [['gateway:', '192.168.50.11'], 'argument external: "" is not a port or a range of ports', 2],
    [
      ['010.0.0.1:80', '192.168.50.11'],
      'argument external: 010.0.0.1 has a number with a leading zero, which some programs read as octal',
      2,
    ],
    [['80', '192.168.50.300'], 'argument internal: 192.168.50.300 is not an IP address', 2],
    [['80', '192.168.50.11:0'], 'argument internal: port 0 does not exist', 2],
    [
      ['80', '2001:db8::1:80'],
      '2001:db8::1:80 is not ADDRESS:PORT; IPv6 addresses stand in brackets: [2001:db8::1]:80',
      2,
    ],
    [
      ['5001-5010', '192.168.50.11:22-24'],
      'argument internal: external ports 5001-5010 and internal ports 22-24 are not equally many',
      2,
    ],
    [['--protocol', 'icmp', '80', '192.168.50.11'], '--protocol: icmp is not a protocol that has ports', 2],
    [
      ['--source', '10.0.0.1/8', '80', '192.168.50.11'],
      '--source: 10.0.0.1/8 has bits set behind its prefix length',
      2,
    ],
    [['--name', '-x', '80', '192.168.50.11'], 'there is no flag -x', 2],
    [['--name=-x', '80', '192.168.50.11'], '--name: -x cannot be a name', 2],
    [['--label', 'x', '80', '192.168.50.11'], '--label: x is not of the form KEY=VALUE', 2],
    [['--router', '../x', '80', '192.168.50.11'], '--router: ../x cannot be a router', 2],
    [['--wait', '1', '--no-wait', '80', '192.168.50.11'], '--wait and --no-wait exclude each other', 2],
    [
      ['--description', '\u001b[2J', '80', '192.168.50.11'],
      '--description: the description \\u001b[2J is too long, or has control characters or broken Unicode',
      2,
    ],
  ])('refuses %j', async (words, message, code) => {
    await withNode();
    const { stdout, stderr, exit } = await bench.run('forward', 'add', ...words);
    expect(stderr.split('\n')[0]).toBe(`hatoba: ${message}`);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: code });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('says which wait it does not take', async () => {
    await withNode();
    const { stderr, exit } = await bench.run('forward', 'add', '--wait', 'soon', '80', '192.168.50.11');
    expect(stderr).toContain('--wait: ');
    expect(exit).toBe(2);
  });

  test('a conflict has an exit code of its own', async () => {
    await withNode();
    await bench.run('forward', 'add', '80', '192.168.50.11');
    const { stderr, exit } = await bench.run('forward', 'add', '80', '192.168.50.12');
    expect(stderr).toMatch(/^hatoba: (argument external: )?tcp port 80 on .* already leads elsewhere, by forward /);
    expect(exit).toBe(4);
  });
});

describe('forward list', () => {
  test('of none says so to people only', async () => {
    const { stdout, stderr, exit } = await bench.run('forward', 'list');
    expect(stderr).toBe('there are no forwards yet; `hatoba forward add 5001 192.168.50.11:22` makes one\n');
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 0 });
    expect(await bench.run('forward', 'list', '-o', 'json')).toEqual({ stdout: '[]\n', stderr: '', exit: 0 });
    expect(await bench.run('forward', 'list', '-o', 'yaml')).toEqual({ stdout: '[]\n', stderr: '', exit: 0 });
    expect((await bench.run('forward', 'list', '-o', 'csv')).stdout).toMatch(/^id,name,[a-z_,]+\r\n$/);
  });

  test('shows the same in every form', async () => {
    await withNode();
    await bench.run(
      'forward',
      'add',
      '--name',
      'web',
      '--description',
      'a "quoted", 波止場',
      '5001',
      '192.168.50.11:22',
    );
    await bench.run('forward', 'add', '--router', 'edge', '--protocol', 'udp', '192.0.2.1:53', '192.168.50.12');
    const [first, second] = bench.registry.forwards.list().map(({ id }) => id);
    const { stdout } = await bench.run('forward', 'list');
    expect(
      stdout
        .replaceAll(/ +/g, ' ')
        .replace(first?.slice(0, 8) ?? '', 'A')
        .replace(second?.slice(0, 8) ?? '', 'B'),
    ).toBe(
      'ID NAME ROUTER PROTOCOL EXTERNAL INTERNAL STATE\n' +
        'A web 9a8b7c6d tcp 192.168.1.100:5001 192.168.50.11:22 active\n' +
        'B - edge udp 192.0.2.1:53 192.168.50.12:53 waiting\n',
    );
    const wide = (await bench.run('forward', 'list', '-o', 'wide')).stdout;
    expect(wide).toContain(`${first}  web   ${ROUTER}  tcp`);
    expect(wide).toContain('a "quoted", 波止場');
    const json = JSON.parse((await bench.run('forward', 'list', '-o', 'json')).stdout);
    expect(json).toMatchObject([
      { id: first, name: 'web', status: { state: 'active' } },
      { id: second, router: 'edge' },
    ]);
    expect(parse((await bench.run('forward', 'list', '-o', 'yaml')).stdout)).toEqual(json);
    const csv = (await bench.run('forward', 'list', '-o', 'csv')).stdout;
    expect(csv.split('\r\n')).toHaveLength(4);
    expect(csv).toContain(`${first},web,"a ""quoted"", 波止場",,${ROUTER},tcp,gateway,5001,192.168.50.11,22,true,`);
  });

  test('filters', async () => {
    await withNode();
    await bench.run('forward', 'add', '--project', 'p1', '5001', '192.168.50.11');
    await bench.run('forward', 'add', '--router', OTHER_ROUTER, '5002', '192.168.50.11');
    const ports = async (...words: string[]): Promise<readonly unknown[]> => {
      const documents: readonly { external_port: string }[] = JSON.parse(
        (await bench.run('forward', 'list', '-o', 'json', ...words)).stdout,
      );
      return documents.map((document) => document.external_port);
    };
    expect(await ports()).toEqual(['5001', '5002']);
    expect(await ports('--state', 'waiting')).toEqual(['5002']);
    expect(await ports('--project', 'p1')).toEqual(['5001']);
    expect(await ports('--router', `qrouter-${OTHER_ROUTER}`)).toEqual(['5002']);
    const { stderr } = await bench.run('forward', 'list', '--state', 'error');
    expect(stderr).toBe('no forward is of that kind\n');
  });

  test('colours states on a terminal only, and not with NO_COLOR', async () => {
    await withNode();
    await bench.run('forward', 'add', '5001', '192.168.50.11');
    expect((await bench.runOnTerminal('forward', 'list')).stdout).toContain('\u001b[32mactive\u001b[0m');
    expect((await bench.run('forward', 'list')).stdout).not.toContain('\u001b');
  });
});

describe('forward show', () => {
  test('tells everything, and how it stands on each node', async () => {
    await withNode();
    await bench.run('forward', 'add', '--name', 'web', '--label', 'a=b', '5001', '192.168.50.11:22');
    const { stdout, exit } = await bench.run('forward', 'show', 'web');
    expect(exit).toBe(0);
    const shown = masked(stdout)
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')

      .replaceAll(/\b[1-9]\b/g, 'N');
    expect(shown).toMatchInlineSnapshot(`
      "id:                <id>
      name:              web
      description:       -
      project_id:        -
      labels:            a=b
      router:            <id>
      protocol:          tcp
      external_address:  gateway
      external_port:     5001
      internal_address:  192.168.50.11
      internal_port:     22
      sources:           -
      enabled:           true
      expires_at:        -
      revision:          N
      created_at:        <time>
      updated_at:        <time>
      state:             active
      message:           -
      nodes:
        NODE  STATE   EXTERNAL_ADDRESS  REVISION  AT                        MESSAGE
        n1    active  192.168.N.100     N         <time>  -
      "
    `);
  });

  test('tells programs what has gone through it, too', async () => {
    const counters: LocalNode['counters'] = async (_router, forward) => [
      { forward: forward ?? '', connections: 3, in: null, out: null, lastUsed: 0 },
    ];
    await using counting = await openCliBench({ counters });
    const words = ['--name', 'web', '--router', ROUTER, '5001', '192.168.50.11:22'];
    const added = await counting.run('forward', 'add', '-o', 'json', ...words);
    const shown = await counting.run('forward', 'show', '-o', 'json', 'web');
    expect(JSON.parse(shown.stdout)).toMatchObject({
      ...JSON.parse(added.stdout),
      counters: [{ connections: 3, packets_in: null, last_used: '1970-01-01T00:00:00.000Z' }],
    });
    expect(parse((await counting.run('forward', 'show', '-o', 'yaml', 'web')).stdout)).toEqual(
      JSON.parse(shown.stdout),
    );
  });

  test('shows it, too, where the counters cannot be read', async () => {
    const counters = async () => {
      throw hatobaError('kernel_stopped', { reason: 'it was stopped' });
    };
    await using failing = await openCliBench({ counters });
    await failing.run('forward', 'add', '--name', 'web', '--router', ROUTER, '5001', '192.168.50.11:22');
    const shown = await failing.run('forward', 'show', 'web');
    expect(shown.stdout).toContain('state:             waiting\n');
    expect(shown.stdout).not.toContain('connections');
    expect(shown.stderr).toMatch(/^hatoba: counters could not be read: .*it was stopped\n$/);
    expect(shown.exit).toBe(0);
    const { stdout } = await failing.run('forward', 'show', '-o', 'json', 'web');
    expect(JSON.parse(stdout)).toMatchObject({ name: 'web', counters: null });
  });

  test('of none', async () => {
    const { stderr, exit } = await bench.run('forward', 'show', 'web');
    expect(stderr).toBe('hatoba: there is no forward web\n  hint: `hatoba forward list` shows them all.\n');
    expect(exit).toBe(3);
  });
});

describe('forward set', () => {
  test('changes what is named, and nothing else', async () => {
    await withNode();
    await bench.run('forward', 'add', '--name', 'web', '--label', 'a=b', '192.168.1.100:5001', '192.168.50.11:22');
    const set = async (...words: string[]): Promise<unknown> =>
      JSON.parse((await bench.run('forward', 'set', '-o', 'json', ...words)).stdout);
    const before = { name: 'web', labels: { a: 'b' }, external_address: '192.168.1.100', internal_port: '22' };
    expect(await set('web', '--external', '5002')).toMatchObject({ ...before, external_port: '5002' });
    expect(await set('web', '--internal', '192.168.50.12')).toMatchObject({
      ...before,
      internal_address: '192.168.50.12',
    });
    expect(await set('web', '--external', 'gateway:5003', '--internal', '192.168.50.13:80')).toMatchObject({
      external_address: 'gateway',
      external_port: '5003',
      internal_address: '192.168.50.13',
      internal_port: '80',
    });
    expect(await set('web', '--label', 'c=d', '--description', 'text')).toMatchObject({
      labels: { c: 'd' },
      description: 'text',
    });
    expect(await set('web', '--description=', '--no-name')).toMatchObject({ name: null, description: null });
  });

  test('asks for something to change', async () => {
    const { stderr, exit } = await bench.run('forward', 'set', 'web');
    expect(stderr).toContain('hatoba: nothing to change was named\n');
    expect(exit).toBe(2);
  });

  test('only at the revision named', async () => {
    await withNode();
    await bench.run('forward', 'add', '--name', 'web', '5001', '192.168.50.11');
    const { stderr, exit } = await bench.run('forward', 'set', 'web', '--external', '5002', '--if-revision', '9999');
    expect(stderr).toContain('has changed: it is at revision');
    expect(exit).toBe(4);
    const malformed = await bench.run('forward', 'set', 'web', '--external', '5002', '--if-revision', 'old');
    expect(malformed.stderr).toContain('hatoba: --if-revision: ');
    expect(malformed.exit).toBe(2);
  });
});

describe('--expires', () => {
  const now = () => Date.now();

  test.each([
    ['45s', 45],
    ['30m', 1800],
    ['2h', 7200],
    ['7d', 604_800],
    ['1h30m', 5400],
  ])('%s is so long from now', async (text, seconds) => {
    await withNode();
    const earliest = now();
    const added = await bench.run('forward', 'add', '--name', 'web', '--expires', text, '5001', '192.168.50.11');
    const expiresAt = bench.registry.forwards.find('web').expiresAt ?? '';
    expect(Date.parse(expiresAt) - seconds * 1000).toBeGreaterThanOrEqual(earliest);
    expect(Date.parse(expiresAt) - seconds * 1000).toBeLessThanOrEqual(now());
    expect(masked(added.stdout)).toBe(
      `forward web (<id>…) 192.168.1.100:5001/tcp -> 192.168.50.11:5001 is active after <time>, until ${expiresAt}\n`,
    );
    expect((await bench.run('forward', 'show', 'web')).stdout).toContain(`expires_at:        ${expiresAt}\n`);
    expect((await bench.run('forward', 'list', '-o', 'wide')).stdout).toContain(` ${expiresAt} `);
  });

  test('is a time, or never', async () => {
    await withNode();
    await bench.run(
      'forward',
      'add',
      '--name',
      'web',
      '--expires',
      '2999-01-01T09:00:00+09:00',
      '5001',
      '192.168.50.11',
    );
    const expiresAt = () => bench.registry.forwards.find('web').expiresAt;
    expect(expiresAt()).toBe('2999-01-01T00:00:00.000Z');
    const { stdout, exit } = await bench.run('forward', 'set', 'web', '--expires', 'never');
    expect(masked(stdout)).toMatch(/ is active after <time>\n$/);
    expect(exit).toBe(0);
    expect(expiresAt()).toBeNull();
    await bench.run('forward', 'set', 'web', '--expires', '1d');
    expect(expiresAt()).not.toBeNull();
  });

  test.each([
    ['tomorrow', '--expires: tomorrow is not a time'],
    ['', '--expires: "" is not a time'],
    ['2w', '--expires: 2w is not a time'],
    ['2h 30m', '--expires: 2h 30m is not a time'],
    ['0s', '--expires: the request is not understood: expires_in must be >= 1'],
    ['99999d', '--expires: the request is not understood: expires_in must be <= 3155760000'],
    ['2026-01-01T00:00:00Z', '--expires: nothing can end at 2026-01-01T00:00:00.000Z, which has passed'],
  ])('%j is refused', async (text, message) => {
    await withNode();
    const added = await bench.run('forward', 'add', `--expires=${text}`, '5001', '192.168.50.11');
    expect(added.stderr.split('\n')[0]).toBe(`hatoba: ${message}`);
    expect({ stdout: added.stdout, exit: added.exit }).toEqual({ stdout: '', exit: 2 });
    expect(bench.registry.forwards.list()).toEqual([]);
    await bench.run('forward', 'add', '--name', 'web', '5001', '192.168.50.11');
    const changed = await bench.run('forward', 'set', 'web', `--expires=${text}`);
    expect(changed.stderr.split('\n')[0]).toBe(`hatoba: ${message}`);
    expect(changed.exit).toBe(2);
  });

  test('once over is told as a state, and can be listed by it', async () => {
    await publish(bench.registry, report(0));
    const words = ['--name', 'web', '--expires', '60s', '--disabled', '--no-wait'];
    await bench.run('forward', 'add', ...words, '5001', '192.168.50.11');
    const { revision, expiresAt } = bench.registry.forwards.find('web');
    setClockForward(60_001);
    liveNode(bench.registry, { at: expiresAt ?? '' });
    const { stdout } = await bench.run('forward', 'enable', 'web');
    expect(masked(stdout)).toBe('forward web (<id>…) 192.168.1.100:5001/tcp -> 192.168.50.11:5001 is expired\n');
    expect(bench.registry.forwards.find('web').revision).toBeGreaterThan(revision);
    const listed = await bench.runOnTerminal('forward', 'list', '--state', 'expired');
    expect(listed.stdout).toContain('\u001b[90mexpired\u001b[0m');
    expect((await bench.run('status')).stdout).toMatch(/^forwards: +1 \(1 expired\)$/m);
  });
});

describe('auto', () => {
  test('says which port it is, with whatever address', async () => {
    await withNode();
    const add = async (external: string) =>
      masked((await bench.run('forward', 'add', external, '192.168.50.11:22')).stdout);
    expect(await add('auto')).toContain('forward <id> 192.168.1.100:20000/tcp -> 192.168.50.11:22 is active');
    expect(await add('192.168.1.100:auto')).toContain(' 192.168.1.100:20001/tcp ');
    expect(await add('192.0.2.1:auto')).toContain(' 192.0.2.1:20000/tcp ');
    const { stdout } = await bench.run('forward', 'add', '-q', '[2001:db8::1]:auto', '[fd00::53]:53');
    const changed = await bench.run('forward', 'set', stdout.trim(), '--external', 'auto', '-o', 'json');
    expect(JSON.parse(changed.stdout)).toMatchObject({ external_address: '2001:db8::1', external_port: '20001' });
  });

  test('asks for the port inside', async () => {
    await withNode();
    const { stderr, exit } = await bench.run('forward', 'add', 'auto', '192.168.50.11');
    expect(stderr).toBe(
      'hatoba: argument internal: with auto as the external port, the internal port cannot be left out\n' +
        '  hint: Name the port that the service has, for example 192.168.50.11:22.\n',
    );
    expect(exit).toBe(2);
  });
});

describe('several at once', () => {
  test('are switched off and on', async () => {
    await withNode();
    for (const port of ['5001', '5002']) await bench.run('forward', 'add', '--name', `p${port}`, port, '192.168.50.11');
    const off = await bench.run('forward', 'disable', 'p5001', 'p5002');
    expect(masked(off.stdout)).toBe(
      'forward p5001 (<id>…) 192.168.1.100:5001/tcp -> 192.168.50.11:5001 is disabled\n' +
        'forward p5002 (<id>…) 192.168.1.100:5002/tcp -> 192.168.50.11:5002 is disabled\n',
    );
    const on = await bench.run('forward', 'enable', 'p5001', '-q');
    expect(on.stdout).toBe(`${bench.registry.forwards.find('p5001').id}\n`);
  });

  test('are removed, though one of them is not there', async () => {
    await withNode();
    for (const port of ['5001', '5002']) await bench.run('forward', 'add', '--name', `p${port}`, port, '192.168.50.11');
    const { stdout, stderr, exit } = await bench.run('forward', 'remove', 'p5001', 'p5000', 'p5002');
    expect(masked(stdout)).toBe(
      'forward p5001 (<id>…) is removed after <time>\nforward p5002 (<id>…) is removed after <time>\n',
    );
    expect(stderr).toBe('hatoba: there is no forward p5000\n  hint: `hatoba forward list` shows them all.\n');
    expect(exit).toBe(3);
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('are removed with their connections going on', async () => {
    await publish(bench.registry, report(0));
    await bench.run('forward', 'add', '--name', 'web', '--no-wait', '5001', '192.168.50.11');
    const { id } = bench.registry.forwards.find('web');
    const { stdout, exit } = await bench.run('forward', 'remove', '--drain', '--no-wait', 'web');
    expect(masked(stdout)).toBe('forward web (<id>…) is removed; its connections go on until they end\n');
    expect(exit).toBe(0);
    expect([...bench.registry.forwards.draining(bench.registry.statuses.routers()[0] ?? '')]).toEqual([id]);
  });

  test('a node that is behind with a removal is waited for', async () => {
    await publish(bench.registry, report(0));
    await bench.run('forward', 'add', '--name', 'web', '--no-wait', '5001', '192.168.50.11');
    const { stdout, stderr, exit } = await bench.run('forward', 'remove', 'web', '--wait', '0.05');
    expect(masked(stdout)).toBe('forward web (<id>…) is removed\n');
    expect(masked(stderr)).toMatch(
      /^hatoba: forward web \(<id>…\) is removed, but was still in a kernel after <time>\n/,
    );
    expect(exit).toBe(7);
  });

  test('need at least one', async () => {
    const { stderr, exit } = await bench.run('forward', 'remove');
    expect(stderr).toMatch(/^hatoba: the argument forward is missing\n {2}hint: /);
    expect(exit).toBe(2);
  });
});
