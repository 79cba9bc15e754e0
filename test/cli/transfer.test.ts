import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';
import { OTHER_ROUTER, publish, ROUTER, report } from '../api/api-under-test.ts';
import { forwardInput, idOf } from '../model/arbitraries.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function file(text: string, name = 'forwards.yaml'): Promise<string> {
  const path = join(bench.directory, name);
  await writeFile(path, text);
  return path;
}

/** `name external → internal` of each, oldest first. */
function there(): readonly string[] {
  return bench.registry.forwards.list().map((forward) => {
    const { name, router, external_port, internal_port } = printForwardSpec(forward);
    return `${router} ${name} ${external_port} ${internal_port}`;
  });
}

const FILE = `
# two forwards
router: r1
forwards:
  - name: web
    external_port: 80
    internal_address: 10.0.0.5
    internal_port: 8080
  - name: ssh
    router: r2
    external_port: 5001-5010
    internal_address: 10.0.0.6
    sources: [192.0.2.0/24]
`;

describe('apply', () => {
  test('makes what the file says, and tells each change', async () => {
    const first = await bench.run('apply', '-f', await file(FILE));
    expect(masked(first.stdout)).toBe(
      [
        '+ r1 web gateway:80/tcp -> 10.0.0.5:8080',
        '+ r2 ssh gateway:5001-5010/tcp from 192.0.2.0/24 -> 10.0.0.6:5001-5010',
        '2 created, 0 changed, 0 removed, 0 unchanged after <time>',
        '',
      ].join('\n'),
    );
    expect(first.stderr).toBe('hatoba: 2 forwards: no node has their 2 routers yet\n');
    expect(first.exit).toBe(0);
    expect(there()).toEqual(['r1 web 80 8080', 'r2 ssh 5001-5010 5001-5010']);

    const second = await bench.run('apply', '-f', await file(FILE.replace('8080', '8081')), '--no-wait');
    expect(masked(second.stdout)).toBe(
      '~ r1 web gateway:80/tcp -> 10.0.0.5:8080: internal_port 8080 -> 8081\n0 created, 1 changed, 0 removed, 1 unchanged after <time>\n',
    );
  });

  test('reads standard input, and JSON', async () => {
    const wish = { router: 'r1', external_port: 1, internal_address: '10.0.0.5' };
    expect((await bench.feed(JSON.stringify({ forwards: [wish] }), 'apply', '-f', '-')).exit).toBe(0);
    expect(there()).toEqual(['r1 null 1 1']);
    expect(await bench.run('apply', '-f', '-')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('standard input'),
    });
  });

  test('a dry run changes nothing', async () => {
    await bench.run('apply', '-f', await file(FILE));
    const { stdout, stderr, exit } = await bench.run(
      'apply',
      '--dry-run',
      '--prune',
      '-f',
      await file('{forwards: [], router: r1}'),
    );
    expect({ stdout, stderr, exit }).toEqual({
      stdout: '- r1 web gateway:80/tcp -> 10.0.0.5:8080\ndry run: 0 to create, 0 to change, 1 to remove, 0 unchanged\n',
      stderr: '',
      exit: 0,
    });
    expect(there()).toHaveLength(2);
  });

  test('prunes routers that are named, or all', async () => {
    await bench.run('apply', '-f', await file(FILE));
    const other = await file('forwards: [{router: r1, external_port: 9, internal_address: 10.0.0.5}]', 'other.yaml');
    await bench.run('apply', '-f', other);
    expect(there()).toHaveLength(3);
    await bench.run('apply', '-f', other, '--prune');
    expect(there()).toEqual(['r2 ssh 5001-5010 5001-5010', 'r1 null 9 9']);
    expect(await bench.run('apply', '-f', other, '--all')).toMatchObject({ exit: 2 });
    await bench.run('apply', '-f', other, '--prune', '--all');
    expect(there()).toEqual(['r1 null 9 9']);
    // A file without forwards names no router.
    await bench.run('apply', '-f', await file('forwards: []'), '--prune');
    expect(there()).toHaveLength(1);
    await bench.run('apply', '-f', await file('forwards: []'), '--prune', '--router', 'r1');
    expect(there()).toHaveLength(0);
  });

  test.each([
    [
      'forwards:\n  - router: r1\n    external_port: 70000\n    internal_address: 10.0.0.5\n',
      3,
      'port 70000 does not exist',
    ],
    ['forwards:\n  - router: r1\n    external_port: 80\n', 2, 'forwards.0.internal_address is missing'],
    [
      'forwards:\n  - router: r1\n    extrnal_port: 80\n    internal_address: 10.0.0.5\n',
      3,
      'forwards.0.extrnal_port is not a known field',
    ],
    [
      'forwards:\n  - {router: r1, external_port: 80,\n     internal_address: 10.0.0.5, enabled: yes}\n',
      3,
      'forwards.0.enabled must be boolean',
    ],
    [
      'forwards:\n  - {router: r1, external_port: 1, internal_address: 10.0.0.5}\n  - {router: r1, external_port: 1, internal_address: 10.0.0.6}\n',
      3,
      'tcp port 1 on gateway already leads elsewhere, by forwards.0 of the same request',
    ],
    [
      '{\n"forwards": [{"router": "r1",\n"external_port": "0", "internal_address": "10.0.0.5"}]}',
      3,
      'port 0 does not exist',
    ],
  ])('an error names the line: %j', async (text, line, message) => {
    const path = await file(text);
    const { stdout, stderr, exit } = await bench.run('apply', '-f', path);
    expect(stderr).toContain(`hatoba: ${path}:${line}: `);
    expect(stderr).toContain(message);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: message.includes('elsewhere') ? 4 : 2 });
    expect(there()).toEqual([]);
  });

  test.each([
    ['forwards:\n  - a: [\n', /is not understood: line [23]: /],
    ['hello', /it has no list called forwards/],
    ['forwards: 3', /it has no list called forwards/],
    ['forwards: []\nfowards: []', /there is no key fowards/],
    ['forwards: []\nrouter: 3', /router is not a text/],
    ['', /it has no list called forwards/],
    [
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n',
      /alias/,
    ],
  ])('what is no such file is told: %j', async (text, message) => {
    const { stderr, exit } = await bench.run('apply', '-f', await file(text));
    expect(stderr).toMatch(message);
    expect(exit).toBe(2);
  });

  test('a file that is not there', async () => {
    const { stderr, exit } = await bench.run('apply', '-f', '/no/such/file');
    expect(stderr).toContain('hatoba: /no/such/file cannot be read: ENOENT');
    expect(exit).toBe(2);
  });

  test('waits for the kernel, and tells what is not there', async () => {
    await publish(bench.registry, report(0));
    const path = await file(`forwards: [{router: ${ROUTER}, external_port: 1, internal_address: 10.0.0.5, name: web}]`);
    const late = await bench.run('apply', '-f', path, '--wait', '0.05');
    expect(masked(late.stderr).replaceAll(/[\d.]+ s/g, '<time>')).toBe(
      'hatoba: 1 forward: the node has not applied it yet\nhatoba: 1 changes are stored, but were not all in the kernel after <time>\n  hint: `hatoba router list` tells which node is behind; it follows as soon as that is possible.\n',
    );
    expect(late.exit).toBe(7);
    expect((await bench.run('apply', '-f', path, '--no-wait')).exit).toBe(0);

    const web = bench.registry.forwards.find('web');
    const problems = { [web.id]: { state: 'error' as const, message: 'something is wrong' } };
    const changed = await file(
      `forwards: [{router: ${ROUTER}, external_port: 2, internal_address: 10.0.0.5, name: web}]`,
    );
    const applying = bench.run('apply', '-f', changed);
    await expect.poll(() => bench.registry.forwards.revision()).toBeGreaterThan(web.revision);
    await publish(bench.registry, report(bench.registry.forwards.revision(), { problems }));
    const broken = await applying;
    expect(broken.stderr).toContain('forward web is stored, but cannot be applied: something is wrong');
    expect(broken.exit).toBe(1);
  });

  test('-o json gives what the API gives', async () => {
    const { stdout } = await bench.run('apply', '-f', await file(FILE), '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ created: 2, changes: [{ change: 'create' }, { change: 'create' }] });
  });
});

test('the file that docs/operations.md shows is one', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const example = /## Forwards in a file\n.*?```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
  const { stdout, exit } = await bench.run('apply', '-f', await file(example), '--no-wait');
  expect(stdout).toContain('2 created');
  expect(exit).toBe(0);
});

describe('export', () => {
  test('leaves out what says nothing', async () => {
    await bench.run('apply', '-f', await file(FILE));
    const { stdout } = await bench.run('export');
    expect(stdout).toBe(`forwards:
  - name: web
    router: r1
    protocol: tcp
    external_address: gateway
    external_port: "80"
    internal_address: 10.0.0.5
    internal_port: "8080"
  - name: ssh
    router: r2
    protocol: tcp
    external_address: gateway
    external_port: 5001-5010
    internal_address: 10.0.0.6
    internal_port: 5001-5010
    sources:
      - 192.0.2.0/24
`);
    expect(parse((await bench.run('export', '--router', 'r1')).stdout).forwards).toHaveLength(1);
    expect((await bench.run('export', '--router', 'nobody')).exit).toBe(3);
  });

  test.each(['yaml', 'json'])('applied, in %s, it changes nothing, and makes an empty store alike', async (format) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(forwardInput, { maxLength: 6 }), async (inputs) => {
        await apply([]);
        for (const input of inputs) {
          const wanted = [{ id: null, spec: parseForwardSpec(input), times: null }];
          const options = { prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false } as const;
          await bench.registry.forwards.apply({ wanted, ...options }).catch(() => undefined);
        }
        count += bench.registry.forwards.list().length;
        const before = bench.registry.forwards.list();
        const exported = await bench.run('export', '--format', format);
        const same = await bench.feed(exported.stdout, 'apply', '-f', '-', '--prune', '--all', '--no-wait');
        expect(masked(same.stdout)).toBe(`0 created, 0 changed, 0 removed, ${before.length} unchanged after <time>\n`);
        expect(bench.registry.forwards.list()).toEqual(before);
        await apply([]);
        await bench.feed(exported.stdout, 'apply', '-f', '-', '--no-wait');
        expect(bench.registry.forwards.list().map(printForwardSpec)).toEqual(before.map(printForwardSpec));
      }),
      { numRuns: 40 },
    );
    expect(count).toBeGreaterThan(20);
  });
});

async function apply(forwards: readonly unknown[]): Promise<void> {
  await bench.feed(JSON.stringify({ forwards }), 'apply', '-f', '-', '--prune', '--all', '--no-wait');
}

describe('backup and restore', () => {
  test('give back every forward as it was, with its id and times', async () => {
    await bench.run('apply', '-f', await file(FILE), '--no-wait');
    await bench.run('forward', 'disable', 'web', '--no-wait');
    const before = bench.registry.forwards.list();
    const { stdout } = await bench.run('backup');
    const refused = await bench.feed(stdout, 'restore');
    expect(refused).toMatchObject({ exit: 4, stdout: '' });
    expect(refused.stderr).toContain('there are 2 forwards already, so nothing was restored');

    await apply([{ router: OTHER_ROUTER, external_port: 80, internal_address: '10.9.9.9', name: 'ssh', id: idOf(9) }]);
    const restored = await bench.feed(stdout, 'restore', '--replace', '--no-wait');
    expect(restored.exit).toBe(0);
    expect(bench.registry.forwards.list().map((forward) => ({ ...forward, revision: 0 }))).toEqual(
      before.map((forward) => ({ ...forward, revision: 0 })),
    );
    await apply([]);
    await bench.feed(stdout, 'restore', '--no-wait');
    expect(bench.registry.forwards.list().map(({ id, createdAt, updatedAt }) => [id, createdAt, updatedAt])).toEqual(
      before.map(({ id, createdAt, updatedAt }) => [id, createdAt, updatedAt]),
    );
  });

  test('an error names the forward', async () => {
    await bench.run('apply', '-f', await file(FILE), '--no-wait');
    const { stdout } = await bench.run('backup');
    await apply([]);
    const { stderr, exit } = await bench.feed(
      stdout.replace('"external_port": "80"', '"external_port": "0"'),
      'restore',
    );
    expect(stderr).toContain('hatoba: forwards.0.external_port: port 0 does not exist\n');
    expect(exit).toBe(2);
  });

  test('what is no backup changes nothing', async () => {
    await bench.run('apply', '-f', await file(FILE), '--no-wait');
    for (const text of ['', '{', '{}', '{"forwards": []}', '{"format":"hatoba-backup-2","revision":1,"forwards":[]}']) {
      expect((await bench.feed(text, 'restore', '--replace')).exit).toBe(2);
    }
    expect(there()).toHaveLength(2);
  });
});
