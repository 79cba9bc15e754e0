import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { AddressFlag, Interface } from '../../src/kernel/netlink/rtnetlink.ts';
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
    .toEqual([{ text: '192.0.2.1', prefixLength: 24, scope: 0, flags: ['permanent'] }]);
  await ip(router, 'address add 192.0.2.2/24 dev qg-1', 'address add 192.0.2.3/32 dev qg-1 scope link');
  await expect
    .poll(() => addresses('qg-1'))
    .toContainEqual({ text: '192.0.2.2', prefixLength: 24, scope: 0, flags: ['secondary', 'permanent'] });
  await expect
    .poll(() => addresses('qg-1'))
    .toContainEqual({ text: '192.0.2.3', prefixLength: 32, scope: 253, flags: ['permanent'] });
  await ip(router, 'address flush dev qg-1', 'link set qg-1 name qg-2');
  await expect.poll(() => [addresses('qg-1'), addresses('qg-2')]).toEqual([undefined, []]);
  await ip(router, 'link delete qg-2');
  await expect.poll(() => told.map(({ name }) => name)).toEqual(['lo']);
});

test('an IPv6 address is tentative until the kernel knows that no other machine has it', async () => {
  await runIn(router, 'sysctl', ['--quiet', '--write', 'net.ipv6.conf.default.accept_dad=1']);
  await ip(
    router,
    'link add qg-1 type veth peer name peer',
    'address add 2001:db8::1/64 dev qg-1',
    'address add 2001:db8::2/64 dev qg-1 nodad preferred_lft 0',
    'address add 2001:db8::3/64 dev qg-1 nodad',
  );
  const told = (text: string, ...flags: readonly AddressFlag[]) => expect.objectContaining({ text, flags });
  await expect.poll(() => addresses('qg-1')).toContainEqual(told('2001:db8::3', 'nodad', 'permanent'));
  expect(addresses('qg-1')).toContainEqual(told('2001:db8::1', 'tentative', 'permanent'));
  expect(addresses('qg-1')).toContainEqual(told('2001:db8::2', 'nodad', 'deprecated', 'permanent'));
  await ip(router, 'link set peer up', 'link set qg-1 up');
  await expect.poll(() => addresses('qg-1')).toContainEqual(told('2001:db8::1', 'permanent'));
});

test('every flag that `ip address` can set is told by its word', async () => {
  await ip(
    router,
    'link add qg-1 type veth peer name peer',
    'address add 192.0.2.1/24 dev qg-1',
    'address add 192.0.2.2/24 dev qg-1 preferred_lft 0',
    'address add 192.0.2.3/32 dev qg-1 noprefixroute valid_lft 600 preferred_lft 600',
    'address add 2001:db8::1/64 dev qg-1 nodad home mngtmpaddr noprefixroute valid_lft 600 preferred_lft 600',
    'address add 2001:db8::2/128 dev qg-1 nodad preferred_lft 0',
  );
  const told = (text: string, ...flags: readonly AddressFlag[]) => expect.objectContaining({ text, flags });
  await expect
    .poll(() => addresses('qg-1'))
    .toEqual(
      expect.arrayContaining([
        told('192.0.2.1', 'permanent'),
        told('192.0.2.2', 'secondary', 'deprecated', 'permanent'),
        told('192.0.2.3', 'noprefixroute'),
        told('2001:db8::1', 'nodad', 'home', 'mngtmpaddr', 'noprefixroute'),
        told('2001:db8::2', 'nodad', 'deprecated', 'permanent'),
      ]),
    );
});

test('a bridge is told as one', async () => {
  await ip(router, 'link add br-1 type bridge', 'link add qr-1 type veth peer name peer');
  await expect
    .poll(() => told.map(({ name, isBridge }) => [name, isBridge]))
    .toEqual(
      expect.arrayContaining([
        ['br-1', true],
        ['qr-1', false],
      ]),
    );
});

test('of a storm of changes the end is told', async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `address add 10.1.${index >> 8}.${index & 255}/32 dev lo`);
  for (let round = 0; round < 2; round++) {
    await ip(router, ...many);
    await expect.poll(() => addresses('lo')?.length).toBe(many.length + 2);
    await ip(router, ...many.map((line) => line.replace('address add', 'address delete')));
    await expect.poll(() => addresses('lo')?.length).toBe(2);
  }
  await kernel.ping();
});
