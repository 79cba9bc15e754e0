import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip, nft, runIn } from '../support/command.ts';
import {
  addInnerNetwork,
  INSIDE_TOO,
  type InnerNetwork,
  LEFT,
  RIGHT,
  SECOND_GATEWAY,
} from '../support/inner-network.ts';
import {
  CLIENT,
  createNetwork,
  GATEWAY,
  INSTANCE,
  INSTANCE_TOO,
  type Network,
  OUTSIDE,
  ROUTED,
} from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
/** Either of which it may use. */
const OF_INSTANCE = { 4: [INSTANCE[4], INSTANCE_TOO[4]], 6: [INSTANCE[6], INSTANCE_TOO[6]] };
/** The router's addresses inside, by which it masquerades. */
const OF_ROUTER = { 4: [SECOND_GATEWAY[4]], 6: [SECOND_GATEWAY[6], 'fd00:20::1'] };
const PROGRAM = programOf(
  FAMILIES.flatMap((family) => [
    ruleOf(10 * family, 'tcp', [GATEWAY[family], 80], [RIGHT[family], 8080]),
    ruleOf(10 * family + 1, 'udp', [GATEWAY[family], '50-59'], [RIGHT[family], 8080]),
    ruleOf(10 * family + 2, 'tcp', [GATEWAY[family], 81], [LEFT[family], 8080]),
    ruleOf(10 * family + 3, 'tcp', [GATEWAY[family], 22], [INSTANCE[family], 22]),
  ]),
);

let network: Network;
let inner: InnerNetwork;
let linux: Started;
let client: Peer;
let instance: Peer;
let left: Peer;
let right: Peer;
let router: Peer;

beforeAll(async () => {
  network = await createNetwork();
  inner = await addInnerNetwork(network);
  linux = await startLinux(network.namespaces.prefix);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  left = await openPeer(inner.left);
  right = await openPeer(inner.right);
  router = await openPeer(network.router);
  await instance.serveTcp(22);
  for (const peer of [left, right]) await peer.serveTcp(8080);
  for (const family of FAMILIES) await right.serveUdp(8080, RIGHT[family]);
  await linux.dataplane.synchronise(network.router, PROGRAM);
});

afterAll(async () => {
  for (const peer of [client, instance, left, right, router]) await peer?.[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

const DEPRECATED = 'preferred_lft 0';
const inNetwork = (family: 4 | 6) => `${SECOND_GATEWAY[family]}/${family === 4 ? 24 : 64}`;
const listed = (set: string) => runIn(network.router, 'nft', ['list', 'set', 'inet', 'hatoba', set]);

/** The address in a greeting, `198.51.100.5 40000`. */
const seen = (greeting: string) => greeting.split(' ')[0];

describe.each(FAMILIES)('by IPv%i', (family) => {
  const gateway = GATEWAY[family];

  test('a machine in the target’s own network gets through, by the router’s inner address', async () => {
    expect(seen(await left.connect(gateway, 80))).toBe(SECOND_GATEWAY[family]);
    expect(seen(await left.ask(gateway, 55))).toBe(SECOND_GATEWAY[family]);
  });

  test('so does the target itself', async () => {
    expect(seen(await left.connect(gateway, 81))).toBe(SECOND_GATEWAY[family]);
  });

  test('a machine of another inner network is seen as itself', async () => {
    expect(OF_INSTANCE[family]).toContain(seen(await instance.connect(gateway, 80)));
    expect(OF_INSTANCE[family]).toContain(seen(await instance.ask(gateway, 50)));
    expect(seen(await left.connect(gateway, 22))).toBe(LEFT[family]);
  });

  test('a client outside is seen as itself', async () => {
    expect(seen(await client.connect(gateway, 80))).toBe(CLIENT[family]);
    expect(seen(await client.ask(gateway, 59))).toBe(CLIENT[family]);
  });

  test('what is not forwarded is not masqueraded', async () => {
    expect(seen(await left.connect(RIGHT[family], 8080))).toBe(LEFT[family]);
    expect(OF_INSTANCE[family]).toContain(seen(await instance.connect(RIGHT[family], 8080)));
  });

  test('the router itself uses its forwards', async () => {
    expect(seen(await router.connect(gateway, 80))).toBe(gateway);
    expect(seen(await router.ask(gateway, 51))).toBe(gateway);
  });
});

describe.each(FAMILIES)('what others translate within one network, by IPv%i', (family) => {
  const target = (port: number) => `${family === 4 ? RIGHT[4] : `[${RIGHT[6]}]`}:${port}`;
  const own = SECOND_GATEWAY[family];
  /** So that the answer comes back through the router, and is translated back, whoever asked. */
  const peer = family === 4 ? `${LEFT[4]}/32` : `${LEFT[6]}/128`;

  beforeAll(() => ip(inner.right, `route add ${peer} via ${own}`));
  afterAll(() => ip(inner.right, `route delete ${peer} via ${own}`));

  test('by iptables', async () => {
    const program = family === 4 ? 'iptables' : 'ip6tables';
    const rule = ['-d', own, '-p', 'tcp', '--dport', '82', '-j', 'DNAT', '--to-destination', target(8080)];
    await runIn(network.router, program, ['-t', 'nat', '-A', 'PREROUTING', ...rule]);
    expect(seen(await left.connect(own, 82))).toBe(LEFT[family]);
    await runIn(network.router, program, ['-t', 'nat', '-D', 'PREROUTING', ...rule]);
  });

  test('by nft', async () => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const script = [
      'add table inet theirs',
      'add chain inet theirs nat { type nat hook prerouting priority dstnat ; }',
      `add rule inet theirs nat ${ip} daddr ${own} udp dport 82 dnat ${ip} to ${target(8080)}`,
    ];
    await nft(network.router, script.join('\n'));
    expect(seen(await left.ask(own, 82))).toBe(LEFT[family]);
    await nft(network.router, 'delete table inet theirs');
  });
});

test('an address outside that a forward brings, and one that goes with its last forward', async () => {
  const more = [
    ruleOf(90, 'tcp', [ROUTED[4], 80], [RIGHT[4], 8080]),
    ruleOf(91, 'tcp', [ROUTED[4], 81], [RIGHT[4], 8080]),
  ];
  expect(await listed('outside4')).not.toContain(ROUTED[4]);
  await linux.dataplane.apply(network.router, { remove: [], add: more });
  for (const port of [80, 81]) expect(seen(await left.connect(ROUTED[4], port))).toBe(SECOND_GATEWAY[4]);
  await linux.dataplane.apply(network.router, { remove: more.slice(1), add: [] });
  expect(seen(await left.connect(ROUTED[4], 80))).toBe(SECOND_GATEWAY[4]);
  await linux.dataplane.apply(network.router, { remove: more.slice(0, 1), add: [] });
  expect(await listed('outside4')).not.toContain(ROUTED[4]);
  expect(await linux.dataplane.synchronise(network.router, PROGRAM)).toEqual({ corrections: 0 });
});

test('an inner interface that comes later, and one that goes', async () => {
  const told = () => linux.events.filter(({ kind }) => kind === 'changed').length;
  const before = told();
  await ip(network.router, 'link add qr-third type veth peer name third-end');
  await expect.poll(told).toBe(before + 1);
  await linux.dataplane.synchronise(network.router, PROGRAM);
  expect(await listed('hairpin')).toContain('"qr-third" . "qr-third"');
  await ip(network.router, 'link delete qr-third');
  await expect.poll(told).toBe(before + 2);
  await linux.dataplane.synchronise(network.router, PROGRAM);
  expect(await listed('hairpin')).not.toContain('qr-third');
  expect(await listed('hairpin')).toContain(`"${INSIDE_TOO}" . "${INSIDE_TOO}"`);
});

test('an inner interface whose only addresses are deprecated, as keepalived sets its virtual ones', async () => {
  await ip(
    network.router,
    ...FAMILIES.map((family) => `address change ${inNetwork(family)} dev ${INSIDE_TOO} ${DEPRECATED}`),
  );
  for (const family of FAMILIES) {
    expect(await runIn(network.router, 'ip', ['address', 'show', 'dev', INSIDE_TOO])).toContain(
      `${inNetwork(family)} scope global deprecated`,
    );
    // By IPv6, Linux rather masquerades by an address of another interface than by a deprecated one (RFC 6724, rule 3).
    expect(OF_ROUTER[family]).toContain(seen(await left.connect(GATEWAY[family], 80)));
  }
  expect(await linux.dataplane.synchronise(network.router, PROGRAM)).toEqual({ corrections: 0 });
  for (const family of FAMILIES) expect(OF_ROUTER[family]).toContain(seen(await left.connect(GATEWAY[family], 80)));
  await ip(network.router, ...FAMILIES.map((family) => `address change ${inNetwork(family)} dev ${INSIDE_TOO}`));
});

describe('beside Neutron, which translates the source of what comes from inside by itself', () => {
  const RULES = `*mangle
-A PREROUTING -i ${OUTSIDE} -j MARK --set-xmark 0x2/0xffff
COMMIT
*nat
-A POSTROUTING ! -o ${OUTSIDE} -m conntrack ! --ctstate DNAT -j ACCEPT
-A POSTROUTING -o ${OUTSIDE} -j SNAT --to-source ${GATEWAY[4]} --random-fully
-A POSTROUTING -m mark ! --mark 0x2/0xffff -m conntrack --ctstate DNAT -j SNAT --to-source ${GATEWAY[4]} --random-fully
COMMIT
`;

  beforeAll(() => runIn(network.router, 'iptables-restore', ['--noflush'], RULES));
  afterAll(() => runIn(network.router, 'iptables-restore', [], '*mangle\nCOMMIT\n*nat\nCOMMIT\n'));

  test('everybody gets through, and a client outside is still seen as itself', async () => {
    expect(seen(await client.connect(GATEWAY[4], 80))).toBe(CLIENT[4]);
    expect(seen(await client.ask(GATEWAY[4], 52))).toBe(CLIENT[4]);
    expect(seen(await left.connect(GATEWAY[4], 80))).toBe(GATEWAY[4]);
    expect(seen(await left.connect(GATEWAY[4], 81))).toBe(GATEWAY[4]);
    expect(seen(await left.ask(GATEWAY[4], 53))).toBe(GATEWAY[4]);
    expect(seen(await instance.connect(GATEWAY[4], 80))).toBe(GATEWAY[4]);
  });
});
