import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { bootMachine, type Machine } from '../support/machine.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const FAMILIES = [4, 6] as const;
const GATEWAY = { 4: '198.51.100.1', 6: '2001:db8:100::1' } as const;
const CLIENT = { 4: '198.51.100.5', 6: '2001:db8:100::5' } as const;
const OTHER_GATEWAY = { 4: '192.0.2.1', 6: '2001:db8:2::1' } as const;
const OTHER_CLIENT = { 4: '192.0.2.5', 6: '2001:db8:2::5' } as const;
const INSIDE = { 4: '10.20.0.1', 6: 'fd00:20::1' } as const;
const TARGET = { 4: '10.20.0.11', 6: 'fd00:20::11' } as const;
const NEIGHBOUR = { 4: '10.20.0.12', 6: 'fd00:20::12' } as const;
type Addresses = Readonly<Record<4 | 6, string>>;

let machine: Machine;
let home: DaemonHome;
let client: Peer;
let otherClient: Peer;
let target: Peer;
let neighbour: Peer;
let host: Peer;

/** Two clients outside, each on a wire of its own; behind a bridge the target and a neighbour. Nothing is configured. */
beforeAll(async () => {
  machine = await bootMachine();
  await machine.run('sysctl', '--quiet', '--write', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  await ip('link set lo up');
  await ip('link add br-lan type bridge');
  await addressed('br-lan', INSIDE);
  for (const [namespace, link, far, gateway] of [
    ['client', 'wan0', CLIENT, GATEWAY],
    ['other', 'wan1', OTHER_CLIENT, OTHER_GATEWAY],
    ['target', 'lan0', TARGET, INSIDE],
    ['neighbour', 'lan1', NEIGHBOUR, INSIDE],
  ] as const) {
    await ip(`netns add ${namespace}`);
    await ip(`link add ${link} type veth peer name eth0 netns ${namespace}`);
    if (gateway === INSIDE) await ip(`link set ${link} master br-lan up`);
    else await addressed(link, gateway);
    await addressed('eth0', far, `-netns ${namespace} `);
    for (const family of FAMILIES) await ip(`-netns ${namespace} route add default via ${gateway[family]}`);
  }
  // Where bridges ask iptables, the target's packets to itself do not leave the bridge.
  await ip('link set lan0 type bridge_slave hairpin on');
  await routeBy(CLIENT);
  await machine.run('sh', '-c', 'ip netns attach itself $$');
  const open = (namespace: string) => openPeer(namespace, machine.path('/run/netns'));
  [client, otherClient, target] = [await open('client'), await open('other'), await open('target')];
  [neighbour, host] = [await open('neighbour'), await open('itself')];
  for (const port of [22, 8443]) await target.serveTcp(port);
  for (const family of FAMILIES) await target.serveUdp(53, TARGET[family]);
  home = await openDaemonHome({ neutron: false, host: {} }, machine);
  await home.start();
  for (const family of FAMILIES) {
    const to = { router: 'host', internal_address: TARGET[family] };
    const forwards = [
      { external_port: 5001, internal_port: 22 },
      { external_port: '443-452', internal_port: '8443-8452' },
      { protocol: 'udp', external_port: '1-65535', internal_port: 53 },
    ];
    for (const forward of forwards) {
      expect(await home.client.createForward({ ...to, ...forward }, '60')).toMatchObject({
        status: { state: 'active' },
      });
    }
  }
});

afterAll(async () => {
  for (const opened of [client, otherClient, target, neighbour, host, home, machine]) {
    await opened?.[Symbol.asyncDispose]();
  }
});

async function ip(line: string): Promise<void> {
  await machine.run('ip', ...line.split(' '));
}

async function addressed(link: string, addresses: Addresses, where = ''): Promise<void> {
  await ip(`${where}address add ${addresses[4]}/24 dev ${link}`);
  await ip(`${where}address add ${addresses[6]}/64 dev ${link} nodad`);
  await ip(`${where}link set ${link} up`);
}

async function routeBy(way: Addresses): Promise<void> {
  for (const family of FAMILIES) await ip(`-${family} route replace default via ${way[family]}`);
}

/** Whom the target sees by each forward: single port, shifted range, all ports to one. */
async function seenBy(peer: Peer, address: string): Promise<readonly string[]> {
  const greetings = [
    await peer.connect(address, 5001),
    await peer.connect(address, 443),
    await peer.ask(address, 65_535),
  ];
  return greetings.map((greeting) => greeting.replace(/ \d+$/, ''));
}

describe.each(FAMILIES)('by IPv%i, with the outside interface of the default route', (family) => {
  test('a client outside is seen as itself', async () => {
    expect(await seenBy(client, GATEWAY[family])).toEqual(Array(3).fill(CLIENT[family]));
  });

  test('machines of the target’s own network, and the target itself, get through by the host’s address there', async () => {
    for (const peer of [neighbour, target]) {
      expect(await seenBy(peer, GATEWAY[family])).toEqual(Array(3).fill(INSIDE[family]));
    }
  });

  test('programs on the host use its forwards', async () => {
    expect(await seenBy(host, GATEWAY[family])).toEqual(Array(3).fill(GATEWAY[family]));
  });

  test('another of its addresses is no gateway', async () => {
    await expect(otherClient.connect(OTHER_GATEWAY[family], 5001)).rejects.toThrow('ECONNREFUSED');
  });
});

test('where the default route moves, all of it moves along', async () => {
  await routeBy(OTHER_CLIENT);
  for (const family of FAMILIES) {
    const address = OTHER_GATEWAY[family];
    await expect.poll(() => otherClient.connect(address, 5001).catch(String)).toContain(OTHER_CLIENT[family]);
    expect(await seenBy(otherClient, address)).toEqual(Array(3).fill(OTHER_CLIENT[family]));
    expect(await seenBy(neighbour, address)).toEqual(Array(3).fill(INSIDE[family]));
    expect(await seenBy(host, address)).toEqual(Array(3).fill(address));
    await expect(client.connect(GATEWAY[family], 5001)).rejects.toThrow('ECONNREFUSED');
  }
  await routeBy(CLIENT);
});
