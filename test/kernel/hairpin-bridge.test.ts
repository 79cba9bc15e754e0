import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { PLACES, type Started, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const BRIDGE = 'qr-bridge';
const OWN = { 4: '10.50.0.1', 6: 'fd00:50::1' } as const;
const LEFT = { 4: '10.50.0.11', 6: 'fd00:50::11' } as const;
/** Also the router to the machine behind it. */
const RIGHT = { 4: '10.50.0.12', 6: 'fd00:50::12' } as const;
const FAR_GATEWAY = { 4: '10.60.0.1', 6: 'fd00:60::1' } as const;
const FAR = { 4: '10.60.0.5', 6: 'fd00:60::5' } as const;
type Addresses = typeof OWN | typeof LEFT | typeof RIGHT | typeof FAR_GATEWAY | typeof FAR;

const PROGRAM = programOf(
  FAMILIES.flatMap((family) => [
    ruleOf(10 * family, 'tcp', [GATEWAY[family], 80], [RIGHT[family], 8080]),
    ruleOf(10 * family + 1, 'tcp', [GATEWAY[family], 81], [FAR[family], 8080]),
  ]),
);

let network: Network;
let client: Peer;
let left: Peer;
let right: Peer;
let far: Peer;
let router: Peer;

/** The router's inside interface is a bridge with two machines, one of them the router to a third. */
beforeAll(async () => {
  network = await createNetwork();
  const names = network.namespaces;
  const [leftName, rightName, farName] = [names.name('left'), names.name('right'), names.name('far')];
  for (const name of [leftName, rightName, farName]) await names.add(name);
  await runIn(rightName, 'sysctl', ['--quiet', '--write', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  await ip(network.router, `link add ${BRIDGE} type bridge`);
  for (const [port, name] of [
    ['left', leftName],
    ['right', rightName],
  ]) {
    await ip(
      network.router,
      `link add port-${port} type veth peer name eth0 netns ${name}`,
      `link set port-${port} master ${BRIDGE} up`,
      // Else what came in by a port, and is not routed, does not leave by it.
      `link set port-${port} type bridge_slave hairpin on`,
    );
  }
  await ip(rightName, `link add eth1 type veth peer name eth0 netns ${farName}`);
  await addressed(network.router, BRIDGE, OWN);
  await addressed(leftName, 'eth0', LEFT);
  await addressed(rightName, 'eth0', RIGHT);
  await addressed(rightName, 'eth1', FAR_GATEWAY);
  await addressed(farName, 'eth0', FAR);
  for (const family of FAMILIES) {
    for (const name of [leftName, rightName]) await ip(name, `route add default via ${OWN[family]}`);
    await ip(farName, `route add default via ${FAR_GATEWAY[family]}`);
    const network6 = family === 4 ? '10.60.0.0/24' : 'fd00:60::/64';
    await ip(network.router, `route add ${network6} via ${RIGHT[family]}`);
  }
  client = await openPeer(network.client);
  left = await openPeer(leftName);
  right = await openPeer(rightName);
  far = await openPeer(farName);
  router = await openPeer(network.router);
  for (const peer of [right, far]) await peer.serveTcp(8080);
});

afterAll(async () => {
  for (const opened of [client, left, right, far, router, network]) await opened?.[Symbol.asyncDispose]();
});

async function addressed(namespace: string, link: string, addresses: Addresses): Promise<void> {
  await ip(
    namespace,
    `address add ${addresses[4]}/24 dev ${link}`,
    `address add ${addresses[6]}/64 dev ${link} nodad`,
    `link set ${link} up`,
  );
}

/** The address in a greeting, `198.51.100.5 40000`. */
const seen = (greeting: string) => greeting.split(' ')[0];

const FILTERED = existsSync('/proc/sys/net/bridge') ? ([0, 1] as const) : ([0] as const);

describe.each(PLACES)('by %s', (place) => {
  let linux: Started;

  beforeAll(async () => {
    linux = await startLinuxAt(network.namespaces.prefix, place);
    await linux.dataplane.synchronise(network.router, PROGRAM);
  });

  afterAll(async () => {
    await linux?.dataplane.clean(network.router);
    await linux?.[Symbol.asyncDispose]();
  });

  describe.each(FILTERED)('where netfilter sees what a bridge leads from port to port: %i', (filtered) => {
    beforeEach(async () => {
      if (FILTERED.length === 1) return;
      const settings = ['ip', 'ip6'].map((one) => `net.bridge.bridge-nf-call-${one}tables=${filtered}`);
      await runIn(network.router, 'sysctl', ['--quiet', '--write', ...settings]);
    });

    test.each(FAMILIES)('machines of the bridge reach one of them, and each other, by IPv%i', async (family) => {
      const gateway = GATEWAY[family];
      expect(seen(await left.connect(gateway, 80))).toBe(OWN[family]);
      expect(seen(await right.connect(gateway, 80))).toBe(OWN[family]);
      expect(seen(await client.connect(gateway, 80))).toBe(CLIENT[family]);
      expect(seen(await client.connect(gateway, 81))).toBe(CLIENT[family]);
      expect(seen(await router.connect(gateway, 80))).toBe(gateway);
      expect(seen(await router.connect(gateway, 81))).toBe(gateway);
    });

    // iptables cannot tell packets that came in by no interface; see docs/backends.md.
    const isTold = place === 'nftables' || filtered === 0;

    test.runIf(isTold).each(FAMILIES)('and a machine behind one of them, by IPv%i', async (family) => {
      const gateway = GATEWAY[family];
      expect(seen(await left.connect(gateway, 81))).toBe(OWN[family]);
      expect(seen(await right.connect(gateway, 81))).toBe(OWN[family]);
      expect(seen(await far.connect(gateway, 80))).toBe(OWN[family]);
      expect(seen(await far.connect(gateway, 81))).toBe(OWN[family]);
    });
  });
});
