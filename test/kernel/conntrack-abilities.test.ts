import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel, startLinux } from './linux-under-test.ts';

let namespaces: Namespaces;
let kernel: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  // Our table has a chain of type nat, which brings connection tracking into the kernel.
  kernel = await openTestKernel();
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

test('UDP-Lite is possible where checksums are not looked at, for each namespace on its own', async () => {
  const [plain, lenient] = [namespaces.name('plain'), namespaces.name('lenient')];
  for (const name of [plain, lenient]) await namespaces.add(name);
  await runIn(lenient, 'sysctl', ['--quiet', '--write', 'net.netfilter.nf_conntrack_checksum=0']);
  for (const name of [plain, lenient]) await kernel.attach(name);
  expect((await kernel.conntrack(plain)).udplite).toBe(false);
  expect((await kernel.conntrack(lenient)).udplite).toBe(true);
  await runIn(plain, 'sysctl', ['--quiet', '--write', 'net.netfilter.nf_conntrack_checksum=0']);
  expect((await kernel.conntrack(plain)).udplite).toBe(true);
});

test('a router tells why it cannot forward UDP-Lite, until it can', async () => {
  const router = namespaces.name('router');
  await namespaces.add(router);
  await using linux = await startLinux(namespaces.name(''));
  expect((await linux.dataplane.limits(router)).udplite).toContain('nf_conntrack_checksum=0');
  await runIn(router, 'sysctl', ['--quiet', '--write', 'net.netfilter.nf_conntrack_checksum=0']);
  expect((await linux.dataplane.limits(router)).udplite).toBeUndefined();
});
