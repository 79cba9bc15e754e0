import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diff } from '../../src/program/diff.ts';
import type { Program } from '../../src/program/rule.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { DRIVERS, PLACES, type Started, startLinux, startLinuxAt } from './linux-under-test.ts';
import { listTable } from './nft-listing.ts';

const FAMILIES = [4, 6] as const;
/** The client is in the third. */
const SOURCES = {
  4: ['192.0.2.0/24', '203.0.113.0/28', '198.51.100.0/25', '203.0.113.64/26', '192.88.99.1/32'],
  6: ['2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:100::/64', '2001:db8:4::/48', '2001:db8:5::1/128'],
} as const;
/** Its blocks begin at 3007, 3008, 3024, 3032 and 3036; the targets’ are multiples of nothing. */
const [FIRST, LAST, SHIFT] = [3007, 3037, 1994];
const INSIDE = [FIRST, 3008, 3015, 3016, 3023, 3024, 3032, 3036, LAST] as const;
const NEIGHBOURS = [FIRST - 1, LAST + 1] as const;

let network: Network;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  for (const port of [...INSIDE, ...NEIGHBOURS]) {
    await instance.serveTcp(port + SHIFT);
    for (const family of FAMILIES) await instance.serveUdp(port + SHIFT, INSTANCE[family]);
  }
});

afterAll(async () => {
  for (const opened of [client, instance, network]) await opened?.[Symbol.asyncDispose]();
});

function shifted(family: 4 | 6, ...sources: readonly string[]): Program {
  const [outer, inner] = [`${FIRST}-${LAST}`, `${FIRST + SHIFT}-${LAST + SHIFT}`];
  return programOf(
    (['tcp', 'udp'] as const).map((protocol, index) =>
      ruleOf(index, protocol, [GATEWAY[family], outer], [INSTANCE[family], inner], ...sources),
    ),
  );
}

const WAYS = [...DRIVERS, 'iptables-nft'] as const;

function start(by: (typeof WAYS)[number]): Promise<Started> {
  const { prefix } = network.namespaces;
  return by === 'iptables-nft' ? startLinuxAt(prefix, by) : startLinux(prefix, { driver: by });
}

function flowFrom(protocol: 'tcp' | 'udp', family: 4 | 6, port: string): Promise<string> {
  const words = ['-L', '-f', `ipv${family}`, '-p', protocol, '--orig-port-src', port];
  return runIn(network.router, 'conntrack', words);
}

describe.each(WAYS)('by %s', (by) => {
  let linux: Started;

  beforeAll(async () => {
    linux = await start(by);
  });

  afterAll(async () => {
    await linux?.dataplane.clean(network.router);
    await linux?.[Symbol.asyncDispose]();
  });

  test.each(
    FAMILIES.flatMap((family) => [['anyone', family, []] as const, ['some', family, SOURCES[family]] as const]),
  )('for %s, by IPv%i: each port leads to its own and answers, neighbours lead nowhere', async (_, family, sources) => {
    await linux.dataplane.clean(network.router);
    await linux.dataplane.synchronise(network.router, shifted(family, ...sources));
    for (const port of INSIDE) {
      const [address, tcpPort = ''] = (await client.connect(GATEWAY[family], port)).split(' ');
      expect(address).toBe(CLIENT[family]);
      const localPort = ++lastPort;
      const greeting = await client.ask(GATEWAY[family], port, { localPort });
      expect(greeting).toBe(`${CLIENT[family]} ${localPort}`);
      const target = ` src=${INSTANCE[family]} dst=${CLIENT[family]} sport=${port + SHIFT} `;
      expect(await flowFrom('tcp', family, tcpPort)).toContain(target);
      expect(await flowFrom('udp', family, `${localPort}`)).toContain(target);
    }
    for (const port of NEIGHBOURS) {
      await expect(client.connect(GATEWAY[family], port)).rejects.toThrow('ECONNREFUSED');
      const localPort = ++lastPort;
      await expect(client.ask(GATEWAY[family], port, { localPort, patience: 200 })).rejects.toThrow();
    }
  });
});

test.each(PLACES)(
  'by %s: a flow that Linux had to lead to another port of the range ends with it, too',
  async (place) => {
    await using linux = await startLinuxAt(network.namespaces.prefix, place);
    await linux.dataplane.clean(network.router);
    const other = ruleOf(9, 'udp', [GATEWAY[4], 80], [INSTANCE[4], 3008 + SHIFT]);
    const both = programOf([...shifted(4).values(), other]);
    await linux.dataplane.synchronise(network.router, both);
    const localPort = ++lastPort;
    await client.ask(GATEWAY[4], 80, { localPort });
    await client.ask(GATEWAY[4], 3008, { localPort, patience: 200 }).catch(() => 'nobody listens there');
    expect(await flowFrom('udp', 4, `${localPort}`)).toMatch(/dport=3008 (?:\[UNREPLIED\] )?src=10\.20\.0\.11 /);
    await linux.dataplane.apply(network.router, diff(both, programOf([other])));
    const left = await flowFrom('udp', 4, `${localPort}`);
    expect(left).toContain(' dport=80 ');
    expect(left).not.toContain(' dport=3008 ');
    await linux.dataplane.clean(network.router);
  },
);

describe('the table', () => {
  let linux: Started;

  beforeAll(async () => {
    linux = await startLinux(network.namespaces.prefix);
  });

  afterAll(() => linux?.[Symbol.asyncDispose]());

  async function countElements(): Promise<number> {
    return (await listTable(network.router))?.match(/comment/g)?.length ?? 0;
  }

  test.each(FAMILIES)('60,000 ports of IPv%i for five sources come and go as a few elements', async (family) => {
    const wide = ruleOf(
      1,
      'tcp',
      [GATEWAY[family], '1001-61000'],
      [INSTANCE[family], '2001-62000'],
      ...SOURCES[family],
    );
    await linux.dataplane.clean(network.router);
    await linux.dataplane.apply(network.router, diff(new Map(), programOf([wide])));
    // For each source seventeen that translate, and two that count.
    expect(await countElements()).toBe(5 * (17 + 2));
    await linux.dataplane.apply(network.router, diff(programOf([wide]), new Map()));
    expect(await countElements()).toBe(0);
  });

  test('that nft has loaded from its own listing does not shift, and is replaced; connections go on', async () => {
    await linux.dataplane.synchronise(network.router, shifted(4));
    const { id } = await client.open(GATEWAY[4], 3015);
    const listing = await listTable(network.router, '--stateless');
    await nft(network.router, `delete table inet hatoba\n${listing}`);
    expect(await linux.dataplane.synchronise(network.router, shifted(4))).toEqual({ corrections: 1 });
    expect(await client.echo(id, 'on')).toBe('on');
    await client.connect(GATEWAY[4], 3016);
    expect(await listTable(network.router, '--stateless')).toBe(listing);
  });

  test('as earlier versions made it, with an element for each port, is replaced; connections go on', async () => {
    await linux.dataplane.clean(network.router);
    const ports = Array.from({ length: LAST - FIRST + 1 }, (_, step) => FIRST + step);
    const elements = ports.map(
      (port) =>
        `${GATEWAY[4]} . 6 . ${port} comment "00000000-0000-4000-8000-000000000000" : ${INSTANCE[4]} . ${port + SHIFT}`,
    );
    await nft(
      network.router,
      `add table inet hatoba
      add map inet hatoba exact4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service ; counter ; }
      add chain inet hatoba prerouting { type nat hook prerouting priority -110 ; policy accept ; }
      add rule inet hatoba prerouting dnat ip to ip daddr . meta l4proto . th dport map @exact4
      add element inet hatoba exact4 { ${elements.join(', ')} }`,
    );
    const { id } = await client.open(GATEWAY[4], 3015);
    expect(await linux.dataplane.synchronise(network.router, shifted(4))).toEqual({ corrections: 1 });
    expect(await client.echo(id, 'on')).toBe('on');
    await linux.dataplane.apply(network.router, diff(shifted(4), new Map()));
    await expect(client.echo(id, 'ended', 300)).rejects.toThrow();
  });
});
