import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Gateways } from '../../src/model/router.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
/** As keepalived sets its virtual addresses. */
const VIRTUAL = { 4: '198.51.100.9', 6: '2001:db8:100::9' } as const;
const OWN_PREFIX = { 4: 24, 6: 64 } as const;
const HOST_PREFIX = { 4: 32, 6: 128 } as const;

let network: Network;
let linux: Started;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  linux = await startLinux(network.namespaces.prefix);
});

afterAll(async () => {
  for (const opened of [client, instance, linux, network]) await opened?.[Symbol.asyncDispose]();
});

/** Those that were told last. */
function gateways(): readonly (string | undefined)[] {
  const told = linux.events.reduce<Gateways>(
    (last, event) => ('instance' in event ? event.instance.gateways : last),
    {},
  );
  return [told[4]?.text, told[6]?.text];
}

async function change(
  verb: 'add' | 'change' | 'delete',
  addresses: typeof VIRTUAL | typeof GATEWAY,
  prefixes: typeof OWN_PREFIX | typeof HOST_PREFIX,
  ...rest: readonly string[]
) {
  const of = (family: 4 | 6) =>
    `address ${verb} ${addresses[family]}/${prefixes[family]} dev ${OUTSIDE} ${rest.join(' ')}`;
  await ip(network.router, of(4), `${of(6)}${verb === 'delete' ? '' : ' nodad'}`);
}

const DEPRECATED = 'preferred_lft 0';

test('a virtual address beside the router’s own is not the gateway, and is it where there is no other', async () => {
  expect(gateways()).toEqual([GATEWAY[4], GATEWAY[6]]);
  await change('add', VIRTUAL, HOST_PREFIX, DEPRECATED);
  await change('delete', GATEWAY, OWN_PREFIX);
  await expect.poll(gateways).toEqual([VIRTUAL[4], VIRTUAL[6]]);
  await ip(network.router, ...FAMILIES.map((family) => `route add ${CLIENT[family]} dev ${OUTSIDE}`));
  const rules = FAMILIES.map((family) => ruleOf(family, 'tcp', [VIRTUAL[family], 5001], [INSTANCE[family], 22]));
  await linux.dataplane.synchronise(network.router, programOf(rules));
  for (const family of FAMILIES) expect(await client.connect(VIRTUAL[family], 5001)).toContain(CLIENT[family]);
  await ip(network.router, ...FAMILIES.map((family) => `route delete ${CLIENT[family]} dev ${OUTSIDE}`));
  await change('add', GATEWAY, OWN_PREFIX);
  await expect.poll(gateways).toEqual([GATEWAY[4], GATEWAY[6]]);
  await change('delete', VIRTUAL, HOST_PREFIX);
});

test('the router’s own address stays the gateway when it is deprecated, until there is a better one', async () => {
  await change('change', GATEWAY, OWN_PREFIX, DEPRECATED);
  const before = linux.events.length;
  await change('add', VIRTUAL, OWN_PREFIX, DEPRECATED);
  expect(gateways()).toEqual([GATEWAY[4], GATEWAY[6]]);
  await change('change', VIRTUAL, OWN_PREFIX);
  await expect.poll(gateways).toEqual([VIRTUAL[4], VIRTUAL[6]]);
  expect(linux.events.length).toBeGreaterThan(before);
  await change('change', GATEWAY, OWN_PREFIX);
  await change('delete', VIRTUAL, OWN_PREFIX);
  await expect.poll(gateways).toEqual([GATEWAY[4], GATEWAY[6]]);
});
