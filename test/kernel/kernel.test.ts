import { execFileSync } from 'node:child_process';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { layoutOf, TABLE } from '../../src/dataplane/linux/nftables/layout.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { startKernelThread } from '../../src/kernel/kernel-thread.ts';
import type { TableChange } from '../../src/kernel/nft/nft-batch.ts';
import { ip, nft, runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { DRIVERS, OUR_TABLE, openTestKernel } from './linux-under-test.ts';

const EMPTY: TableChange = { table: 'create', remove: [], add: [] };
const ENTRY = { set: 'exact4', key: '192.0.2.1 . 6 . 80', value: '10.0.0.1 . 22', comment: 'one' };

let namespaces: Namespaces;
let router: string;
let elsewhere: string;

beforeAll(async () => {
  namespaces = await createNamespaces();
  [router, elsewhere] = [namespaces.name('router'), namespaces.name('elsewhere')];
  await namespaces.add(router);
  await namespaces.add(elsewhere);
});

afterEach(() => nft(router, 'flush ruleset'));

afterAll(() => namespaces[Symbol.asyncDispose]());

describe.each(DRIVERS)('by %s', (driver) => {
  let kernel: Kernel;

  beforeAll(async () => {
    kernel = await openTestKernel({ driver });
  });

  afterAll(() => kernel.stop());

  test('it says so', () => {
    expect(kernel.driver).toBe(driver);
  });

  test('a change is made in the attached namespace alone', async () => {
    await kernel.attach(elsewhere);
    expect(await kernel.attach(router)).toMatchObject({ table: null, interfaces: [{ name: 'lo' }] });
    await kernel.change(router, EMPTY);
    expect(await runIn(router, 'nft', ['list', 'tables'])).toBe(`table inet ${TABLE}\n`);
    expect(await runIn(elsewhere, 'nft', ['list', 'tables'])).toBe('');
    expect(await kernel.readTable(elsewhere)).toBeNull();
    expect(await kernel.readTable(router)).toEqual({
      fingerprint: kernel.fingerprint,
      elements: new Map(layoutOf({ accounting: true }).sets.map(({ name }) => [name, []])),
    });
  });

  test.each<[string, TableChange, RegExp]>([
    [
      'an entry twice',
      { table: 'keep', remove: [], add: [ENTRY, { ...ENTRY, value: '10.0.0.2 . 22' }] },
      /adding to exact4: EEXIST/,
    ],
    ['an entry that is not there', { table: 'keep', remove: [ENTRY], add: [] }, /removing from exact4: ENOENT/],
    ['a table that is there', EMPTY, /making the table: EEXIST/],
  ])('%s is refused with the reason, and changes nothing', async (_, change, reason) => {
    await kernel.attach(router);
    await kernel.change(router, { ...EMPTY, add: [{ ...ENTRY, key: '192.0.2.1 . 6 . 81' }] });
    const before = await kernel.readTable(router);
    const refusal = kernel.change(router, { ...change, add: [{ ...ENTRY, key: '192.0.2.1 . 6 . 82' }, ...change.add] });
    await expect(refusal).rejects.toMatchObject({ code: 'kernel_refused' });
    await expect(refusal).rejects.toThrow(reason);
    await expect(refusal).rejects.toThrow(router);
    expect(await kernel.readTable(router)).toEqual(before);
  });

  test('nothing is kept, replaced or deleted where there is no table', async () => {
    await kernel.attach(router);
    for (const table of ['keep', 'replace', 'delete'] as const) {
      const refusal = kernel.change(router, { table, remove: [], add: [ENTRY] });
      await expect(refusal).rejects.toMatchObject({ code: 'kernel_refused' });
    }
    expect(await kernel.readTable(router)).toBeNull();
  });

  test('an entry gets another value in one step', async () => {
    await kernel.attach(router);
    await kernel.change(router, { ...EMPTY, add: [ENTRY] });
    const moved = { ...ENTRY, value: '10.0.0.2 . 2222', comment: 'two' };
    await kernel.change(router, { table: 'keep', remove: [ENTRY], add: [moved] });
    const { set, ...element } = moved;
    expect((await kernel.readTable(router))?.elements.get(set)).toEqual([element]);
  });

  test('what cannot be opened is gone, what was let go of too', async () => {
    for (const name of ['', '.', '..', '../../proc/self/ns', 'no-such', namespaces.name('no-such')]) {
      await expect(kernel.attach(name)).rejects.toMatchObject({ code: 'namespace_gone' });
    }
    await kernel.attach(router);
    await kernel.detach(router);
    await kernel.detach(router);
    await expect(kernel.change(router, EMPTY)).rejects.toMatchObject({ code: 'namespace_gone' });
    await expect(kernel.readTable(router)).rejects.toMatchObject({ code: 'namespace_gone' });
  });

  test('a namespace that was let go of dies when its name goes', async () => {
    const dying = namespaces.name('dying');
    await namespaces.add(dying);
    await ip(elsewhere, `link add tether type veth peer name eth0 netns ${dying}`);
    await kernel.attach(dying);
    await kernel.change(dying, EMPTY);
    await namespaces.remove(dying);
    expect(await links(elsewhere)).toContain('tether');
    await kernel.detach(dying);
    await expect.poll(() => links(elsewhere)).not.toContain('tether');
  });

  test('a name that leads to another namespace now is opened anew', async () => {
    const twice = namespaces.name('twice');
    await namespaces.add(twice);
    await kernel.attach(twice);
    await kernel.change(twice, EMPTY);
    await namespaces.remove(twice);
    await namespaces.add(twice);
    expect(await kernel.readTable(twice)).not.toBeNull();
    expect((await kernel.attach(twice)).table).toBeNull();
    await kernel.detach(twice);
    await namespaces.remove(twice);
  });

  test('no descriptor stays behind', async () => {
    const once = async () => {
      await expect(kernel.attach(namespaces.name('no-such'))).rejects.toMatchObject({ code: 'namespace_gone' });
      await kernel.attach(router);
      await kernel.attach(router);
      await kernel.readTable(router);
      await kernel.detach(router);
    };
    await once();
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round++) await once();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

async function links(namespace: string): Promise<string> {
  return runIn(namespace, 'ip', ['-brief', 'link']);
}

test('stop answers what was asked before, and refuses what comes after', async () => {
  const kernel = await openTestKernel();
  await kernel.attach(router);
  await kernel.change(router, EMPTY);
  const earlier = Array.from({ length: 20 }, () => kernel.change(router, { ...EMPTY, table: 'replace' }));
  await kernel.stop();
  await expect(kernel.ping()).rejects.toMatchObject({ code: 'kernel_stopped' });
  expect(await Promise.allSettled(earlier)).toEqual(
    earlier.map(() => ({ status: 'fulfilled', value: { count: 0, failure: null } })),
  );
  await kernel.stop();
});

test("the worker's death surfaces: in what waits, in what comes later, and to whoever opened it", async () => {
  const fatal: unknown[] = [];
  const before = ownNamespaceDescriptors();
  const kernel = await startKernelThread().open(
    { directory: '/run/netns', compiled: true, natChains: [], table: OUR_TABLE, driver: null },
    (error) => fatal.push(error),
  );
  const [home] = ownNamespaceDescriptors().filter((fd) => !before.includes(fd));
  await kernel.attach(router);
  expect(home).toBeDefined();
  // The thread's way home leads nowhere now, so that it is lost in the namespace it enters next.
  koffi.load('libc.so.6').func('int dup2(int from, int to)')(openSync('/dev/null', 'r'), home);
  await expect(kernel.conntrack(router)).rejects.toMatchObject({ code: 'kernel_stopped' });
  await expect(kernel.ping()).rejects.toMatchObject({ code: 'kernel_stopped' });
  expect(fatal).toMatchObject([{ code: 'kernel_stopped' }]);
  await kernel.stop();
});

function ownNamespaceDescriptors(): readonly number[] {
  const own = readlinkSync('/proc/self/ns/net');
  return readdirSync('/proc/self/fd')
    .filter((fd) => linkOf(fd) === own)
    .map(Number);
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return 'the descriptor that the directory was read with';
  }
}

test('a machine without the program nft is told so', async () => {
  vi.stubEnv('PATH', '/nowhere');
  try {
    const opening = startKernelThread().open(
      { directory: '/run/netns', compiled: true, natChains: [], table: OUR_TABLE, driver: 'nft' },
      () => {},
    );
    await expect(opening).rejects.toMatchObject({ code: 'kernel_unsupported' });
  } finally {
    vi.unstubAllEnvs();
  }
});

test.each([
  ['nonsense', /syntax error/],
  ['add table inet other', /no table inet hatoba/],
])('a table that nft cannot make, or does not, is told: %j', async (script, reason) => {
  const table = { name: TABLE, script };
  const opening = startKernelThread().open(
    { directory: '/run/netns', compiled: true, natChains: [], table, driver: null },
    () => {},
  );
  await expect(opening).rejects.toMatchObject({ code: 'kernel_unsupported' });
  await expect(opening).rejects.toThrow(reason);
});

test('a process that ends without stopping it does not hang', () => {
  const program = `
    const table = { name: 'hatoba', script: 'add table inet hatoba' };
    import('${new URL('../../src/kernel/kernel-thread.ts', import.meta.url).href}')
      .then(({ startKernelThread }) => startKernelThread().open({ directory: '/run/netns', compiled: true, natChains: [], table, driver: null }, () => {}))
      .then(() => process.exit(0));`;
  execFileSync(process.execPath, ['--eval', program], { timeout: 60_000 });
});

test('too many open files are told, and not taken for a namespace that is gone', () => {
  const program = `
    const { openSync } = require('node:fs');
    const table = { name: 'hatoba', script: 'add table inet hatoba' };
    import('${new URL('../../src/kernel/kernel-thread.ts', import.meta.url).href}')
      .then(({ startKernelThread }) => startKernelThread().open({ directory: '/run/netns', compiled: true, natChains: [], table, driver: null }, () => {}))
      .then((kernel) => {
        try { for (;;) openSync('/dev/null', 'r'); } catch {}
        return kernel.attach('${router}');
      })
      .catch((error) => console.log(error.message))
      .then(() => process.exit(0));`;
  const limited = ['--nofile=100', process.execPath, '--eval', program];
  expect(execFileSync('prlimit', limited, { timeout: 60_000, encoding: 'utf8' })).toContain('EMFILE');
});
