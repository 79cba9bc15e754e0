import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Forward } from '../../src/client/operations.ts';
import { NEUTRON_PATTERNS } from '../../src/dataplane/linux/namespaces.ts';
import { ip, nft, runIn } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { createDistributedRouter, type DistributedRouter, LOCAL } from '../support/distributed-router.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { BACKENDS } from '../support/l3-agent.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE, ROUTED } from '../support/network.ts';
import { createNeutronNetwork, type NeutronNetwork, NO_SCOPE, neutronRouter } from '../support/neutron-network.ts';
import { expectedOf, portraitOf, trafficOfNeutron } from '../support/neutron-traffic.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const INNER_GATEWAY = { 4: '10.20.0.1', 6: 'fd00:20::1' } as const;

/** A daemon with Neutron's patterns, but for this router of all that may be on the machine. */
function openHome(uuid: string): Promise<DaemonHome> {
  const routers = NEUTRON_PATTERNS.map(({ namespace, outside, inside }) => ({
    namespace: namespace.replace('*', uuid),
    outside: [...outside],
    inside: [...inside],
  }));
  return openDaemonHome({ neutron: false, routers });
}

const whom = (greeting: string) => greeting.split(' ')[0];

describe.each(BACKENDS)('a stranger flushes everything, beside the l3-agent by iptables-%s', (backend) => {
  const uuid = randomUUID();
  let neutron: NeutronNetwork;
  let home: DaemonHome;

  beforeAll(async () => {
    neutron = await createNeutronNetwork(backend, { router: `qrouter-${uuid}` });
    home = await openHome(uuid);
    await home.start();
  });

  afterAll(async () => {
    for (const opened of [home, neutron]) await opened?.[Symbol.asyncDispose]();
  });

  test('ours is back by itself, whatever becomes of theirs, and stays when they are back', async () => {
    const { agent, client, network } = neutron;
    const fields = { router: uuid, external_port: 22, internal_address: INSTANCE[4] };
    const { status } = await home.client.createForward(fields, '60');
    expect(status.state).toBe('active');
    const [ours, theirs] = [await elementsIn(network.router), await agent.saved()];
    const { id } = await client.open(GATEWAY[4], 22);

    await nft(network.router, 'flush ruleset');
    await eventually(async () => expect(await elementsIn(network.router)).toEqual(ours));
    expect(whom(await client.connect(GATEWAY[4], 22))).toBe(CLIENT[4]);
    expect(await client.echo(id, 'still here')).toBe('still here');
    // iptables-nft's rules are part of what was flushed, and nobody but the agent is to know them.
    const [left, lost] = [await agent.saved(), backend === 'nft' ? '' : theirs];
    expect(left.includes('neutron')).toBe(lost.includes('neutron'));

    await agent.replay(neutronRouter(NO_SCOPE));
    expect(await agent.saved()).toBe(theirs);
    const attempts = trafficOfNeutron(neutron, NO_SCOPE);
    expect((await portraitOf(network.router, attempts)).seen).toEqual(expectedOf(attempts));
    expect(await elementsIn(network.router)).toEqual(ours);
    expect(whom(await client.connect(GATEWAY[4], 22))).toBe(CLIENT[4]);
  });
});

describe('a distributed router', () => {
  const uuid = randomUUID();
  let router: DistributedRouter;
  let home: DaemonHome;
  let client: Peer;
  let instance: Peer;
  let neighbour: Peer;

  beforeAll(async () => {
    router = await createDistributedRouter(uuid);
    home = await openHome(uuid);
    await home.start();
    client = await openPeer(router.client);
    instance = await openPeer(router.instance);
    neighbour = await openPeer(router.neighbour);
    await instance.serveTcp(22);
    await instance.serveUdp(22, INSTANCE[4]);
    await client.serveTcp(7000);
    const fields = { router: uuid, external_port: 5001, internal_address: INSTANCE[4], internal_port: 22 };
    for (const protocol of ['tcp', 'udp']) await home.client.createForward({ ...fields, protocol }, '60');
  });

  afterAll(async () => {
    for (const opened of [client, instance, neighbour, home, router]) await opened?.[Symbol.asyncDispose]();
  });

  /** First packets that found a forward here. */
  async function used(namespace: string): Promise<number> {
    const listing = await runIn(namespace, 'nft', ['list', 'map', 'inet', 'hatoba', 'exact4']);
    return Array.from(listing.matchAll(/counter packets (\d+)/g), ([, count]) => Number(count)).reduce(
      (a, b) => a + b,
      0,
    );
  }

  test('has its forwards in both parts, on the gateway of the central one', async () => {
    const elements = await elementsIn(router.central);
    expect(elements.map((element) => element.replace(/ \(.*$/, ''))).toEqual([
      `${GATEWAY[4]} . 17 . 5001 : ${INSTANCE[4]} . 22`,
      `${GATEWAY[4]} . 6 . 5001 : ${INSTANCE[4]} . 22`,
    ]);
    expect(await elementsIn(router.local)).toEqual(elements);
    expect((await home.client.getRouter(uuid)).nodes).toMatchObject([
      { instances: [router.local, router.central], gateways: [GATEWAY[4]], error: null },
    ]);
    for (const { status } of await home.client.listForwards({})) expect(status.state).toBe('active');
  });

  test('serves clients outside by the central part, and they are seen as themselves', async () => {
    const { id, greeting } = await client.open(GATEWAY[4], 5001);
    expect(whom(greeting)).toBe(CLIENT[4]);
    expect(await client.echo(id, 'by both parts')).toBe('by both parts');
    expect(whom(await client.ask(GATEWAY[4], 5001))).toBe(CLIENT[4]);
    expect([await used(router.local), await used(router.central)]).toEqual([0, 2]);
  });

  test('serves machines inside by the local part', async () => {
    expect(whom(await neighbour.connect(GATEWAY[4], 5001))).toBe(LOCAL);
    expect(whom(await neighbour.ask(GATEWAY[4], 5001))).toBe(LOCAL);
    expect([await used(router.local), await used(router.central)]).toEqual([2, 2]);
  });

  test('leaves what goes out to Neutron', async () => {
    expect(whom(await instance.connect(CLIENT[4], 7000))).toBe(GATEWAY[4]);
    expect([await used(router.local), await used(router.central)]).toEqual([2, 2]);
  });

  test('has none where its central part has gone to another node', async () => {
    await runIn(router.central, 'ip', ['link', 'delete', OUTSIDE]);
    await eventually(async () => expect(await elementsIn(router.local)).toEqual([]));
    await eventually(async () => {
      for (const { status } of await home.client.listForwards({})) expect(status.state).toBe('pending');
    });
  });
});

describe('a standby of an HA router, whose addresses are elsewhere', () => {
  const uuid = randomUUID();
  let network: Network;
  let home: DaemonHome;
  let client: Peer;
  let instance: Peer;
  let explicit: Forward;
  let following: readonly Forward[];

  const addresses = [`${GATEWAY[4]}/24 dev ${OUTSIDE}`, `${GATEWAY[6]}/64 dev ${OUTSIDE} nodad`];
  const insideAddresses = [`${INNER_GATEWAY[4]}/24 dev ${INSIDE}`, `${INNER_GATEWAY[6]}/64 dev ${INSIDE} nodad`];
  const all = [...insideAddresses, ...addresses];

  beforeAll(async () => {
    network = await createNetwork({ router: `qrouter-${uuid}` });
    await standBy();
    home = await openHome(uuid);
    await home.start();
    client = await openPeer(network.client);
    instance = await openPeer(network.instance);
    await instance.serveTcp(22);
    const fields = { router: uuid, internal_port: 22 };
    explicit = await home.client.createForward(
      { ...fields, external_address: ROUTED[4], external_port: 5002, internal_address: INSTANCE[4] },
      '5',
    );
    following = await Promise.all(
      ([4, 6] as const).map((family) =>
        home.client.createForward({ ...fields, external_port: 5001, internal_address: INSTANCE[family] }, '60'),
      ),
    );
  });

  afterAll(async () => {
    for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
  });

  const standBy = () => ip(network.router, ...all.map((address) => `address delete ${address.replace(' nodad', '')}`));
  const states = async () =>
    Promise.all([explicit, ...following].map(async ({ id }) => (await home.client.getForward(id)).status.state));
  const programmed = async () =>
    (await elementsIn(network.router)).map((element) => element.replace(/ : .*$/, '')).sort();

  test('has the forwards that name an address, and not those on the gateway', async () => {
    expect(await states()).toEqual(['active', 'pending', 'pending']);
    expect(await programmed()).toEqual([`${ROUTED[4]} . 6 . 5002`]);
  });

  test.each([1, 2, 3])('serves as soon as it becomes active, time %i', async () => {
    await ip(network.router, ...all.map((address) => `address add ${address}`));
    const seen = await Promise.all([
      ...([4, 6] as const).map((family) => eventually(() => client.connect(GATEWAY[family], 5001, 200))),
      eventually(() => client.connect(ROUTED[4], 5002, 200)),
    ]);
    expect(seen.map(whom)).toEqual([CLIENT[4], CLIENT[6], CLIENT[4]]);
    await eventually(async () => expect(await states()).toEqual(['active', 'active', 'active']));
    await standBy();
    await eventually(async () => expect(await programmed()).toEqual([`${ROUTED[4]} . 6 . 5002`]));
    await eventually(async () => expect(await states()).toEqual(['active', 'pending', 'pending']));
  });
});
