import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip } from '../support/command.ts';
import {
  addInnerNetwork,
  addRoutedNetwork,
  FAR,
  INNER_ROUTER,
  INSIDE_TOO,
  LEFT,
  SECOND_GATEWAY,
} from '../support/inner-network.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { PLACES, type Started, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
const PROGRAM = programOf(
  FAMILIES.flatMap((family) => [
    // To the machine behind the inner router, to that router itself, and to one in its own network.
    ruleOf(10 * family, 'tcp', [GATEWAY[family], 80], [FAR[family], 8080]),
    ruleOf(10 * family + 1, 'udp', [GATEWAY[family], '50-59'], [FAR[family], 8080]),
    ruleOf(10 * family + 2, 'tcp', [GATEWAY[family], '1001-1009'], [FAR[family], '8080-8088']),
    ruleOf(10 * family + 3, 'tcp', [GATEWAY[family], 81], [INNER_ROUTER[family], 8080]),
    ruleOf(10 * family + 4, 'tcp', [GATEWAY[family], 82], [LEFT[family], 8080]),
    ruleOf(
      10 * family + 5,
      'tcp',
      [GATEWAY[family], 83],
      [FAR[family], 8080],
      `${LEFT[family]}/${family === 4 ? 32 : 128}`,
    ),
  ]),
);

let network: Network;
let client: Peer;
let instance: Peer;
let left: Peer;
let inner: Peer;
let far: Peer;
let router: Peer;

beforeAll(async () => {
  network = await createNetwork();
  const second = await addInnerNetwork(network);
  const routed = await addRoutedNetwork(network, second);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  left = await openPeer(second.left);
  inner = await openPeer(routed.innerRouter);
  far = await openPeer(routed.far);
  router = await openPeer(network.router);
  for (const peer of [left, inner, far]) await peer.serveTcp(8080);
  for (const family of FAMILIES) await far.serveUdp(8080, FAR[family]);
});

afterAll(async () => {
  for (const peer of [client, instance, left, inner, far, router]) await peer?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** The address in a greeting, `198.51.100.5 40000`. */
const seen = (greeting: string) => greeting.split(' ')[0];

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

  describe.each(FAMILIES)('by IPv%i', (family) => {
    const gateway = GATEWAY[family];
    const own = SECOND_GATEWAY[family];

    test('a client in the network of the inner router reaches a target behind it', async () => {
      expect(seen(await left.connect(gateway, 80))).toBe(own);
      expect(seen(await left.ask(gateway, 55))).toBe(own);
      expect(seen(await left.connect(gateway, 1001))).toBe(own);
      expect(seen(await left.connect(gateway, 83))).toBe(own);
    });

    test('so does the inner router, the machine behind it, and the target itself', async () => {
      expect(seen(await inner.connect(gateway, 80))).toBe(own);
      expect(seen(await inner.connect(gateway, 81))).toBe(own);
      expect(seen(await far.connect(gateway, 80))).toBe(own);
      expect(seen(await far.ask(gateway, 51))).toBe(own);
      expect(seen(await far.connect(gateway, 81))).toBe(own);
      expect(seen(await far.connect(gateway, 82))).toBe(own);
    });

    test('clients outside, of other inner interfaces, and the router itself are seen as themselves', async () => {
      expect(seen(await client.connect(gateway, 80))).toBe(CLIENT[family]);
      expect(seen(await client.ask(gateway, 50))).toBe(CLIENT[family]);
      expect(seen(await client.connect(gateway, 81))).toBe(CLIENT[family]);
      expect([INSTANCE[family], '10.20.0.12', 'fd00:20::12']).toContain(seen(await instance.connect(gateway, 80)));
      expect(seen(await router.connect(gateway, 80))).toBe(gateway);
    });

    test('what is not forwarded is not masqueraded', async () => {
      expect(seen(await far.connect(LEFT[family], 8080))).toBe(FAR[family]);
      expect(seen(await left.connect(FAR[family], 8080))).toBe(LEFT[family]);
    });
  });

  test('an examination takes clients inside by the interface they come in by', async () => {
    const { rules } = await linux.dataplane.examine(network.router, [...PROGRAM.values()], false);
    for (const family of FAMILIES) {
      expect(rules.get(idOf(10 * family + 5))?.way).toMatchObject({
        arrivesBy: [INSIDE_TOO],
        isHairpin: true,
        refusal: null,
        toTarget: { interface: INSIDE_TOO },
        toClient: { interface: INSIDE_TOO },
      });
      expect(rules.get(idOf(10 * family))?.way).toMatchObject({ arrivesBy: [OUTSIDE], isHairpin: false });
    }
  });

  test('a network of one inner interface within that of another: each is told by its interface', async () => {
    const told = () => linux.events.filter(({ kind }) => kind === 'changed').length;
    const before = told();
    // All of 10.0.0.0/8 is to be found by the first one, but for the networks of the second.
    await ip(network.router, `address add 10.99.0.1/8 dev ${INSIDE}`);
    await expect.poll(told).toBe(before + 1);
    await linux.dataplane.synchronise(network.router, PROGRAM);
    expect(seen(await left.connect(GATEWAY[4], 80))).toBe(SECOND_GATEWAY[4]);
    expect([INSTANCE[4], '10.20.0.12']).toContain(seen(await instance.connect(GATEWAY[4], 80)));
    await ip(network.router, `address delete 10.99.0.1/8 dev ${INSIDE}`);
    await expect.poll(told).toBe(before + 2);
    await linux.dataplane.synchronise(network.router, PROGRAM);
  });
});
