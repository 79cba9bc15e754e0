import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Forward } from '../../src/client/operations.ts';
import { ip, runIn } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE, ROUTED } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const PORT = 5001;
const EXPLICIT_PORT = 5002;

const FAMILIES = [
  { family: 4, other: '198.51.100.2', length: 24, hostLength: 32 },
  { family: 6, other: '2001:db8:100::2', length: 64, hostLength: 128 },
] as const;

let network: Network;
let home: DaemonHome;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  home = await openDaemonHome({
    neutron: false,
    routers: [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }],
  });
  await home.start();
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  client = await openPeer(network.client);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened[Symbol.asyncDispose]();
});

describe.each(FAMILIES)('IPv$family', ({ family, other, length, hostLength }) => {
  const own = GATEWAY[family];
  const pending = `the router has no IPv${family} gateway address at present`;
  let following: Forward;
  let explicit: Forward;

  beforeAll(async () => {
    const fields = { router: network.router, internal_address: INSTANCE[family], internal_port: 22 };
    following = await home.client.createForward({ ...fields, external_port: PORT }, '60');
    const explicitly = { external_address: ROUTED[family], external_port: EXPLICIT_PORT };
    explicit = await home.client.createForward({ ...fields, ...explicitly }, '60');
  });

  /** `null`: the router has no gateway address. */
  async function expectGateway(address: string | null): Promise<void> {
    const element = (external: string, port: number, { id }: Forward) =>
      `${external} . 6 . ${port} : ${INSTANCE[family]} . 22 (${id})`;
    const wanted = [
      ...(address === null ? [] : [element(address, PORT, following)]),
      element(ROUTED[family], EXPLICIT_PORT, explicit),
    ];
    await eventually(async () => {
      const found = (await elementsIn(network.router)).filter((text) => text.includes(INSTANCE[family]));
      expect(found).toEqual(wanted.sort());
    });
    const [state, message] = address === null ? ['pending', pending] : ['active', null];
    await eventually(async () => {
      const { status } = await home.client.getForward(following.id);
      expect(status).toMatchObject({ state, message, nodes: [{ external_address: address }] });
    });
    if (address !== null) await client.connect(address, PORT);
    expect((await home.client.getForward(explicit.id)).status.state).toBe('active');
  }

  test('at first', async () => {
    await expectGateway(own);
    await client.connect(ROUTED[family], EXPLICIT_PORT);
  });

  test('it changes: the forward follows, and the old address no longer leads anywhere', async () => {
    await ip(
      network.router,
      `address delete ${own}/${length} dev ${OUTSIDE}`,
      `address add ${other}/${length} dev ${OUTSIDE}${family === 6 ? ' nodad' : ''}`,
    );
    await expectGateway(other);
    await expect(client.connect(own, PORT, 300)).rejects.toThrow();
  });

  test('it vanishes: the forward waits, and says for what', async () => {
    await ip(network.router, `address delete ${other}/${length} dev ${OUTSIDE}`);
    await expectGateway(null);
  });

  test('it returns', async () => {
    await ip(network.router, `address add ${own}/${length} dev ${OUTSIDE}${family === 6 ? ' nodad' : ''}`);
    await expectGateway(own);
  });

  test("a floating IP beside it, an inside address, and one on another interface are none of the forward's business", async () => {
    const before = await elementsIn(network.router);
    await ip(
      network.router,
      `address add ${other}/${hostLength} dev ${OUTSIDE}`,
      `address add ${ROUTED[family]}/${length} dev ${INSIDE}`,
      `address add ${ROUTED[family]}/${hostLength} dev lo`,
    );
    await expectGateway(own);
    expect(await elementsIn(network.router)).toEqual(before);
    await ip(
      network.router,
      `address delete ${other}/${hostLength} dev ${OUTSIDE}`,
      `address delete ${ROUTED[family]}/${length} dev ${INSIDE}`,
      `address delete ${ROUTED[family]}/${hostLength} dev lo`,
    );
  });
});

test('an IPv6 gateway counts as soon as duplicate address detection is through with it', async () => {
  const [following] = (await home.client.listForwards({})).filter(
    ({ external_address, internal_address }) => external_address === 'gateway' && internal_address === INSTANCE[6],
  );
  await runIn(network.router, 'sysctl', ['--quiet', '--write', `net.ipv6.conf.${OUTSIDE}.accept_dad=1`]);
  await ip(
    network.router,
    `address delete ${GATEWAY[6]}/64 dev ${OUTSIDE}`,
    `address add 2001:db8:100::3/64 dev ${OUTSIDE}`,
  );
  const state = async () => (await home.client.getForward(following?.id ?? '')).status.state;
  await eventually(async () => expect(await state()).toBe('pending'));
  await eventually(async () => expect(await state()).toBe('active'));
  await client.connect('2001:db8:100::3', PORT);
});
