import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Interface } from '../../src/kernel/netlink/rtnetlink.ts';
import { ip, runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel } from './linux-under-test.ts';

let namespaces: Namespaces;
let router: string;
let kernel: Kernel;
let told: readonly Interface[];

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  kernel = await openTestKernel();
  await kernel.watch((event) => {
    if (event.kind === 'interfaces' && event.namespace === router) told = event.interfaces;
  });
});

beforeEach(async () => {
  await namespaces.remove(router);
  await namespaces.add(router);
  told = (await kernel.attach(router)).interfaces;
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

function addresses(name: string): readonly object[] | undefined {
  return told
    .find((link) => link.name === name)
    ?.addresses.map(({ address, ...rest }) => ({ text: address.text, ...rest }));
}

test('links and addresses are told as they come, change and go', async () => {
  expect(told.map(({ name }) => name)).toEqual(['lo']);
  await ip(router, 'link add qg-1 type veth peer name peer', 'address add 192.0.2.1/24 dev qg-1');
  await expect
    .poll(() => addresses('qg-1'))
    .toEqual([{ text: '192.0.2.1', prefixLength: 24, usable: true, secondary: false }]);
  await ip(router, 'address add 192.0.2.2/24 dev qg-1', 'address add 192.0.2.3/32 dev qg-1 scope link');
  await expect
    .poll(() => addresses('qg-1'))
    .toContainEqual({ text: '192.0.2.2', prefixLength: 24, usable: true, secondary: true });
  await expect
    .poll(() => addresses('qg-1'))
    .toContainEqual({ text: '192.0.2.3', prefixLength: 32, usable: false, secondary: false });
  await ip(router, 'address flush dev qg-1', 'link set qg-1 name qg-2');
  await expect.poll(() => [addresses('qg-1'), addresses('qg-2')]).toEqual([undefined, []]);
  await ip(router, 'link delete qg-2');
  await expect.poll(() => told.map(({ name }) => name)).toEqual(['lo']);
});

test('an IPv6 address is usable when the kernel knows that nobody else has it', async () => {
  await runIn(router, 'sysctl', ['--quiet', '--write', 'net.ipv6.conf.default.accept_dad=1']);
  await ip(
    router,
    'link add qg-1 type veth peer name peer',
    'address add 2001:db8::1/64 dev qg-1',
    'address add 2001:db8::2/64 dev qg-1 nodad preferred_lft 0',
    'address add 2001:db8::3/64 dev qg-1 nodad',
  );
  const usable = (text: string) => expect.objectContaining({ text, usable: true });
  const unusable = (text: string) => expect.objectContaining({ text, usable: false });
  await expect.poll(() => addresses('qg-1')).toContainEqual(usable('2001:db8::3'));
  expect(addresses('qg-1')).toContainEqual(unusable('2001:db8::1'));
  expect(addresses('qg-1')).toContainEqual(unusable('2001:db8::2'));
  await ip(router, 'link set peer up', 'link set qg-1 up');
  await expect.poll(() => addresses('qg-1'), { timeout: 10_000 }).toContainEqual(usable('2001:db8::1'));
});

test('of a storm of changes the end is told', async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `address add 10.1.${index >> 8}.${index & 255}/32 dev lo`);
  for (let round = 0; round < 2; round++) {
    await ip(router, ...many);
    await expect.poll(() => addresses('lo')?.length, { timeout: 20_000 }).toBe(many.length + 2);
    await ip(router, ...many.map((line) => line.replace('address add', 'address delete')));
    await expect.poll(() => addresses('lo')?.length, { timeout: 20_000 }).toBe(2);
  }
  await kernel.ping();
});
