import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Kernel, KernelEvent } from '../../src/kernel/kernel.ts';
import type { DefaultRoute } from '../../src/kernel/routes/default-routes.ts';
import { ip, runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { processorTimeOf } from '../support/processor-time.ts';
import { openTestKernel } from './linux-under-test.ts';

/** More than are read in no time. */
const ROUTES = 60_000;
/** Interfaces that come, each of which is told. */
const COMING = 20;

let namespaces: Namespaces;
let kernel: Kernel;
let router: string;
let told: readonly DefaultRoute[];
let interfaces: readonly string[];

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
  for (const [number, name] of ['first', 'second'].entries()) {
    await ip(
      router,
      `link add ${name} type veth peer name ${name}-peer`,
      `address add 192.0.${number}.2/24 dev ${name}`,
      `address add 2001:db8:${number}::2/64 dev ${name} nodad`,
      `link set ${name}-peer up`,
      `link set ${name} up`,
    );
  }
  kernel = await openTestKernel();
  await kernel.watch(onEvent);
  const state = await kernel.attach(router, { defaultRoutes: true });
  [told, interfaces] = [state.defaultRoutes, state.interfaces.map(({ name }) => name)];
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

function onEvent(event: KernelEvent): void {
  if (event.kind !== 'interfaces' || event.namespace !== router) return;
  [told, interfaces] = [event.defaultRoutes, event.interfaces.map(({ name }) => name)];
}

/** As `ip` has them, of interfaces that are up. */
async function defaultRoutes(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const family of [4, 6]) {
    const text = await runIn(router, 'ip', [`-${family}`, 'route', 'show', 'default']);
    for (const line of text.split('\n')) {
      const [, name] = / dev (\S+)/.exec(line) ?? [];
      if (name !== undefined && !/\bdead\b/.test(line)) found.push(`${family} ${name}`);
    }
  }
  return found;
}

const STEPS = [
  'route add default via 192.0.0.1 metric 10',
  'route add default via 192.0.1.1 metric 20',
  'route add default via 2001:db8::1 metric 10',
  'route add default via 2001:db8:1::1 metric 5',
  'link add other type veth peer name other-peer',
  'link set first down',
  'link set first up',
  'route add default via 192.0.0.1 metric 30',
  'address delete 192.0.1.2/24 dev second',
  'address add 192.0.1.2/24 dev second',
  'link set second down',
  'link set second up',
  'link delete other',
  'route delete default via 192.0.0.1',
  'link delete second',
] as const;
/** Each in one go, so that it may be over before anything of it is read. */
const FLAPS = [
  ['link set first down', 'link set first up'],
  ['address delete 192.0.0.2/24 dev first', 'address add 192.0.0.2/24 dev first'],
] as const;
/** Of each, since it may also be read in between. */
const TIMES = 10;

test('default routes are told as they are, whatever the kernel says of them', async () => {
  for (const step of STEPS) {
    await ip(router, step);
    await expectTold(step);
  }
});

test('a default route is gone by what is over before it is read', async () => {
  for (const flap of FLAPS) {
    for (let time = 0; time < TIMES; time++) {
      await ip(router, 'route replace default via 192.0.0.1');
      await expect.poll(() => told).toEqual([{ family: 4, interface: 'first' }]);
      await ip(router, ...flap);
      await expectTold(flap.join(', '));
      expect(told).toEqual([]);
    }
  }
});

async function expectTold(message: string): Promise<void> {
  const wanted = await defaultRoutes();
  const seen = () => told.map((route) => `${route.family} ${route.interface}`).sort();
  await expect.poll(seen, { message }).toEqual([...wanted].sort());
}

test('an interface without a default route is told of without reading all routes', async () => {
  await kernel.detach(router);
  const lines = Array.from({ length: ROUTES }, (_, at) => {
    return `route add 10.${at >> 16}.${(at >> 8) & 255}.${at & 255}/32 dev first`;
  });
  await ip(router, 'route replace default via 192.0.0.1', ...lines);
  const reading = await processorTimeOf(() => kernel.attach(router, { defaultRoutes: true }));
  const telling = await processorTimeOf(tellOfLinks);
  expect(telling).toBeLessThan((COMING / 2) * reading);
});

async function tellOfLinks(): Promise<void> {
  for (let at = 0; at < COMING; at++) {
    await ip(router, `link add more${at} type veth peer name peer${at}`);
    await expect.poll(() => interfaces).toContain(`more${at}`);
  }
}
