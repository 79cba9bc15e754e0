import { execFileSync } from 'node:child_process';
import { openSync, readdirSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LAYOUT, TABLE } from '../../src/dataplane/linux/nftables/layout.ts';
import { createTable } from '../../src/dataplane/linux/nftables/script.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { openKernel } from '../../src/kernel/open-kernel.ts';
import { ip, nft, runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { DRIVERS, openTestKernel } from './linux-under-test.ts';

const EMPTY = createTable(LAYOUT, [], false);

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

  test('a script is applied in the attached namespace alone', async () => {
    await kernel.attach(elsewhere);
    expect(await kernel.attach(router)).toMatchObject({ table: null, interfaces: [{ name: 'lo' }] });
    await kernel.run(router, EMPTY);
    expect(await runIn(router, 'nft', ['list', 'tables'])).toBe(`table inet ${TABLE}\n`);
    expect(await runIn(elsewhere, 'nft', ['list', 'tables'])).toBe('');
    expect(await kernel.readTable(elsewhere)).toBeNull();
    expect((await kernel.readTable(router))?.elements).toEqual(
      new Map([
        ['exact4', []],
        ['exact6', []],
      ]),
    );
  });

  test.each([
    ['add rule inet nowhere c accept', /No such file or directory/],
    ['add chain inet hatoba x\nnonsense', /syntax error, unexpected/],
    ['add element inet hatoba exact4 { 192.0.2.1 . 6 . 80 : nobody . 22 }', /Could not resolve hostname|nobody/],
  ])('%j is refused with the reason, and changes nothing', async (script, reason) => {
    await kernel.attach(router);
    const refusal = kernel.run(router, `${EMPTY}${script}\n`);
    await expect(refusal).rejects.toMatchObject({ code: 'kernel_refused' });
    await expect(refusal).rejects.toThrow(reason);
    await expect(refusal).rejects.toThrow(router);
    expect(await kernel.readTable(router)).toBeNull();
  });

  test('what cannot be opened is gone, what was let go of too', async () => {
    for (const name of ['', '.', '..', '../../proc/self/ns', 'no-such', namespaces.name('no-such')]) {
      await expect(kernel.attach(name)).rejects.toMatchObject({ code: 'namespace_gone' });
    }
    await kernel.attach(router);
    await kernel.detach(router);
    await kernel.detach(router);
    await expect(kernel.run(router, EMPTY)).rejects.toMatchObject({ code: 'namespace_gone' });
    await expect(kernel.readTable(router)).rejects.toMatchObject({ code: 'namespace_gone' });
  });

  test('a namespace that was let go of dies when its name goes', async () => {
    const dying = namespaces.name('dying');
    await namespaces.add(dying);
    await ip(elsewhere, `link add tether type veth peer name eth0 netns ${dying}`);
    await kernel.attach(dying);
    await kernel.run(dying, EMPTY);
    await namespaces.remove(dying);
    expect(await links(elsewhere)).toContain('tether');
    await kernel.detach(dying);
    await expect.poll(() => links(elsewhere), { timeout: 10_000 }).not.toContain('tether');
  });

  test('a name that leads to another namespace now is opened anew', async () => {
    const twice = namespaces.name('twice');
    await namespaces.add(twice);
    await kernel.attach(twice);
    await kernel.run(twice, EMPTY);
    await namespaces.remove(twice);
    await namespaces.add(twice);
    expect(await kernel.readTable(twice)).not.toBeNull();
    expect((await kernel.attach(twice)).table).toBeNull();
    await kernel.detach(twice);
    await namespaces.remove(twice);
  });

  test('no descriptor stays behind', async () => {
    const once = async () => {
      await kernel.rehearse(EMPTY);
      await expect(kernel.rehearse('nonsense')).rejects.toMatchObject({ code: 'kernel_refused' });
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

  test('a rehearsal has the table that the script makes, and nobody else has it', async () => {
    await kernel.attach(router);
    const [first, second] = [await kernel.rehearse(EMPTY), await kernel.rehearse(EMPTY)];
    expect(first?.fingerprint).toContain('chain prerouting nat');
    expect(second).toEqual(first);
    expect(await kernel.readTable(router)).toBeNull();
    expect(await kernel.rehearse('add table inet other')).toBeNull();
  });
});

async function links(namespace: string): Promise<string> {
  return runIn(namespace, 'ip', ['-brief', 'link']);
}

test('stop answers what was asked before, and refuses what comes after', async () => {
  const kernel = await openTestKernel();
  await kernel.attach(router);
  const earlier = Array.from({ length: 20 }, () => kernel.run(router, EMPTY));
  await kernel.stop();
  await expect(kernel.ping()).rejects.toMatchObject({ code: 'kernel_stopped' });
  expect(await Promise.allSettled(earlier)).toEqual(earlier.map(() => ({ status: 'fulfilled', value: undefined })));
  await kernel.stop();
});

test("the worker's death surfaces: in what waits, in what comes later, and to whoever opened it", async () => {
  const fatal: unknown[] = [];
  const before = ownNamespaceDescriptors();
  const kernel = await openKernel({ directory: '/run/netns', table: TABLE, driver: null }, (error) =>
    fatal.push(error),
  );
  const [home] = ownNamespaceDescriptors().filter((fd) => !before.includes(fd));
  await kernel.attach(router);
  expect(home).toBeDefined();
  // The thread's way home leads nowhere now, so that it is lost in the namespace it enters next.
  koffi.load('libc.so.6').func('int dup2(int from, int to)')(openSync('/dev/null', 'r'), home);
  await expect(kernel.run(router, EMPTY)).rejects.toMatchObject({ code: 'kernel_stopped' });
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
    const opening = openKernel({ directory: '/run/netns', table: TABLE, driver: 'nft' }, () => {});
    await expect(opening).rejects.toMatchObject({ code: 'kernel_unsupported' });
  } finally {
    vi.unstubAllEnvs();
  }
});

test('a process that ends without stopping it does not hang', () => {
  const program = `
    import('${new URL('../../src/kernel/open-kernel.ts', import.meta.url).href}')
      .then(({ openKernel }) => openKernel({ directory: '/run/netns', table: 'hatoba', driver: null }, () => {}))
      .then(() => process.exit(0));`;
  execFileSync(process.execPath, ['--eval', program], { timeout: 10_000 });
});
