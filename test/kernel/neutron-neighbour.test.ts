import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diff } from '../../src/program/diff.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { ip, runIn } from '../support/command.ts';
import { LEFT, RIGHT, SECOND_GATEWAY } from '../support/inner-network.ts';
import { BACKENDS, createL3Agent, parseSaved } from '../support/l3-agent.ts';
import type { NeutronRouter } from '../support/l3-rules.ts';
import { createNamespaces } from '../support/namespaces.ts';
import { CLIENT, GATEWAY, INSTANCE } from '../support/network.ts';
import {
  createNeutronNetwork,
  FLOATING,
  FORWARDED,
  FORWARDED_PORT,
  type NeutronNetwork,
  NO_SCOPE,
  neutronRouter,
  OTHER_SCOPE,
} from '../support/neutron-network.ts';
import {
  type Attempt,
  expectedOf,
  hairpinOfNeutron,
  type Portrait,
  portraitOf,
  trafficOfNeutron,
} from '../support/neutron-traffic.ts';
import { type Started, startLinux, startLinuxAt } from './linux-under-test.ts';
import { listTable } from './nft-listing.ts';

/** On ports that matter to Neutron, and on those that its SNAT chooses from. */
const OURS = programOf([
  ruleOf(1, 'tcp', [GATEWAY[4], 22], [INSTANCE[4], 22]),
  ruleOf(2, 'tcp', [GATEWAY[4], 80], [RIGHT[4], 8080]),
  ruleOf(3, 'tcp', [GATEWAY[4], 81], [LEFT[4], 8080]),
  ruleOf(4, 'udp', [GATEWAY[4], '50-59'], [RIGHT[4], 8080]),
  ruleOf(5, 'tcp', [GATEWAY[4], '1024-65535'], [INSTANCE[4], '1024-65535']),
  ruleOf(6, 'udp', [GATEWAY[4], '1024-65535'], [INSTANCE[4], '1024-65535']),
  ruleOf(7, 'tcp', [GATEWAY[6], 80], [RIGHT[6], 8080]),
]);
const MORE = ruleOf(8, 'tcp', [GATEWAY[4], 90], [LEFT[4], 8080]);

const GOLDEN = join(import.meta.dirname, 'golden/l3-agent.iptables-save');
const SCOPES = [NO_SCOPE, OTHER_SCOPE] as const;
const REPLAYS = 20;

/** By our forwards; `scope`: that of the second inner network. */
function ours({ client, instance }: NeutronNetwork, scope: number): readonly Attempt[] {
  const second = (family: 4 | 6) => (scope === NO_SCOPE ? CLIENT[family] : 'timeout');
  return [
    ['client → instance', CLIENT[4], (patience) => client.connect(GATEWAY[4], 22, patience)],
    ['client → right', second(4), (patience) => client.connect(GATEWAY[4], 80, patience)],
    ['client → right, UDP', second(4), (patience) => client.ask(GATEWAY[4], 55, { patience })],
    ['client → right, IPv6', second(6), (patience) => client.connect(GATEWAY[6], 80, patience)],
    ['client → owner of the floating IP', second(4), (patience) => client.connect(GATEWAY[4], 81, patience)],
    [
      'instance → right',
      scope === NO_SCOPE ? GATEWAY[4] : 'timeout',
      (patience) => instance.connect(GATEWAY[4], 80, patience),
    ],
  ];
}

describe.each(BACKENDS)('beside the l3-agent by iptables-%s', (backend) => {
  let neutron: NeutronNetwork;
  let namespace: string;
  let linux: Started;
  /** Without us, by the scope of the second inner network. */
  const alone = new Map<number, Portrait>();
  let hairpinAlone: Portrait;
  let surroundingsAlone: string;

  beforeAll(async () => {
    neutron = await createNeutronNetwork(backend);
    namespace = neutron.network.router;
    for (const scope of SCOPES) {
      await neutron.agent.update(neutronRouter(scope));
      alone.set(scope, await portraitOf(namespace, trafficOfNeutron(neutron, scope)));
    }
    await neutron.agent.update(neutronRouter(NO_SCOPE));
    hairpinAlone = await portraitOf(namespace, hairpinOfNeutron(neutron));
    surroundingsAlone = await surroundings();
    linux = await startLinux(neutron.network.namespaces.prefix);
    await linux.dataplane.synchronise(namespace, OURS);
  });

  afterAll(async () => {
    await linux?.[Symbol.asyncDispose]();
    await neutron?.[Symbol.asyncDispose]();
  });

  /** Everything in the namespace that is not ours. */
  async function surroundings(): Promise<string> {
    const listings = [['address'], ['route', 'show', 'table', 'all'], ['rule'], ['-6', 'rule']];
    const texts = await Promise.all(listings.map((words) => runIn(namespace, 'ip', words)));
    return [await neutron.agent.saved(), ...texts].join('\n');
  }

  const disturbances = () => linux.events.filter(({ kind }) => kind === 'disturbed').length;

  test('Neutron serves everybody without us', () => {
    for (const scope of SCOPES) expect(alone.get(scope)?.seen).toEqual(expectedOf(trafficOfNeutron(neutron, scope)));
    expect(hairpinAlone.seen).toEqual(expectedOf(hairpinOfNeutron(neutron)));
  });

  test('our changes leave everything else as it was, byte for byte', async () => {
    expect(await surroundings()).toBe(surroundingsAlone);
    await linux.dataplane.apply(namespace, diff(OURS, programOf([...OURS.values(), MORE])));
    expect(await surroundings()).toBe(surroundingsAlone);
    await linux.dataplane.clean(namespace);
    expect(await surroundings()).toBe(surroundingsAlone);
    await linux.dataplane.synchronise(namespace, OURS);
    expect(await surroundings()).toBe(surroundingsAlone);
    expect(await neutron.agent.update(neutronRouter(NO_SCOPE))).toBe(0);
  });

  describe.each(SCOPES)('with the second network in scope %i', (scope) => {
    beforeAll(() => neutron.agent.update(neutronRouter(scope)));
    afterAll(() => neutron.agent.update(neutronRouter(NO_SCOPE)));

    test('Neutron does what it does without us: addresses, flows and marks', async () => {
      expect(await portraitOf(namespace, trafficOfNeutron(neutron, scope))).toEqual(alone.get(scope));
    });

    test('ours work, but not across address scopes, and the client is seen as itself', async () => {
      const attempts = ours(neutron, scope);
      expect((await portraitOf(namespace, attempts)).seen).toEqual(expectedOf(attempts));
    });
  });

  test('packets of ours have the marks that those of Neutron’s own forwards have', async () => {
    const { client } = neutron;
    const by = (address: string, port: number) =>
      portraitOf(namespace, [['client → instance', CLIENT[4], (patience) => client.connect(address, port, patience)]]);
    const [theirs, own] = [await by(FORWARDED, FORWARDED_PORT), await by(GATEWAY[4], 22)];
    expect(own.marks).toEqual(theirs.marks);
    expect(own.marks).toContain(`${CLIENT[4]} . ${INSTANCE[4]} . 6 . 0x04000002 . 0x04000000`);
    const inward = (destination: string) =>
      `tcp src=${CLIENT[4]} dst=${destination} src=${INSTANCE[4]} dst=${CLIENT[4]} mark=${NO_SCOPE << 16}`;
    expect([own.flows, theirs.flows]).toEqual([[inward(GATEWAY[4])], [inward(FORWARDED)]]);
  });

  test('clients in the target’s own network are served by an address of the router’s', async () => {
    const { left, right } = neutron;
    const attempts: readonly Attempt[] = [
      ['neighbour', '', (patience) => right.connect(GATEWAY[4], 81, patience)],
      ['the target itself', '', (patience) => left.connect(GATEWAY[4], 81, patience)],
      ['neighbour, UDP', '', (patience) => left.ask(GATEWAY[4], 55, { patience })],
    ];
    for (const seen of Object.values((await portraitOf(namespace, attempts)).seen)) {
      expect([SECOND_GATEWAY[4], GATEWAY[4], FLOATING]).toContain(seen);
    }
  });

  test('machines of one network are at each other’s floating IPs whom they are without us', async () => {
    expect(await portraitOf(namespace, hairpinOfNeutron(neutron))).toEqual(hairpinAlone);
  });

  test(`whatever the agent writes anew, ${REPLAYS} times: nothing is lost, and our table stays`, async () => {
    const { client, agent, network } = neutron;
    const [table, before] = [await listTable(namespace, '--stateless'), disturbances()];
    const retransmissions = async () => {
      const text = await runIn(network.client, 'nstat', ['--zeros', '--ignore', '--noupdate', 'TcpRetransSegs']);
      return Number(/TcpRetransSegs\s+(\d+)/.exec(text)?.[1]);
    };
    const retransmitted = await retransmissions();
    const { id } = await client.open(GATEWAY[4], 22);
    let replaying = true;
    const counts = await Promise.all([keep(echo), keep(ask), keep(connect), replay()]);
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(REPLAYS);
    expect(await retransmissions()).toBe(retransmitted);
    expect(retransmitted).not.toBeNaN();
    expect(disturbances()).toBe(before);
    expect(await listTable(namespace, '--stateless')).toBe(table);
    expect(await linux.dataplane.synchronise(namespace, OURS)).toEqual({ corrections: 0 });

    async function replay(): Promise<number> {
      for (let time = 0; time < REPLAYS; time++) await agent.replay(neutronRouter(NO_SCOPE));
      replaying = false;
      return REPLAYS;
    }
    async function keep(once: (count: number) => Promise<void>): Promise<number> {
      let count = 0;
      for (; replaying; count++) await once(count);
      return count;
    }
    async function echo(count: number): Promise<void> {
      expect(await client.echo(id, `${count}`)).toBe(`${count}`);
    }
    async function ask(): Promise<void> {
      expect(await client.ask(GATEWAY[4], 55, { localPort: 40_000 })).toBe(`${CLIENT[4]} 40000`);
    }
    async function connect(): Promise<void> {
      expect(await client.connect(GATEWAY[4], 80)).toMatch(`${CLIENT[4]} `);
    }
  });
});

describe.each(BACKENDS)('by iptables-%s ourselves, in the tables that the agent writes', (backend) => {
  let neutron: NeutronNetwork;
  let namespace: string;
  let linux: Started;
  let alone: Portrait;
  let savedAlone: string;

  beforeAll(async () => {
    neutron = await createNeutronNetwork(backend);
    namespace = neutron.network.router;
    alone = await portraitOf(namespace, trafficOfNeutron(neutron, NO_SCOPE));
    savedAlone = await neutron.agent.saved();
    linux = await startLinuxAt(neutron.network.namespaces.prefix, `iptables-${backend}`);
    await linux.dataplane.synchronise(namespace, OURS);
  });

  afterAll(async () => {
    await linux?.[Symbol.asyncDispose]();
    await neutron?.[Symbol.asyncDispose]();
  });

  const prerouting = async () => {
    const text = await runIn(namespace, `iptables-${backend}-save`, ['-t', 'nat']);
    return parseSaved(text).get('nat')?.get('PREROUTING');
  };

  test('Neutron does what it does without us, and ours work: addresses, flows and marks', async () => {
    expect(await portraitOf(namespace, trafficOfNeutron(neutron, NO_SCOPE))).toEqual(alone);
    const attempts = ours(neutron, NO_SCOPE);
    expect((await portraitOf(namespace, attempts)).seen).toEqual(expectedOf(attempts));
  });

  test('whatever the agent writes anew, nothing is lost, and ours comes first again', async () => {
    const { client, agent } = neutron;
    const { id } = await client.open(GATEWAY[4], 22);
    for (let time = 0; time < REPLAYS; time++) {
      await agent.replay(neutronRouter(NO_SCOPE));
      expect(await client.echo(id, `${time}`)).toBe(`${time}`);
      expect(await client.ask(GATEWAY[4], 55, { localPort: 40_000 })).toBe(`${CLIENT[4]} 40000`);
      expect(await client.connect(GATEWAY[4], 80)).toMatch(`${CLIENT[4]} `);
    }
    const theirs = '-j neutron-l3-agent-PREROUTING';
    expect(await prerouting()).toEqual([theirs, '-j hatoba-prerouting']);
    if (backend === 'nft') await expect.poll(() => linux.events.map(({ kind }) => kind)).toContain('disturbed');
    // In PREROUTING of both families, and in OUTPUT of one.
    expect(await linux.dataplane.synchronise(namespace, OURS)).toEqual({ corrections: 3 });
    expect(await prerouting()).toEqual(['-j hatoba-prerouting', theirs]);
    expect(await client.echo(id, 'still here')).toBe('still here');
  });

  test('what we have written is taken away, and leaves everything else as it was', async () => {
    await linux.dataplane.clean(namespace);
    expect(await neutron.agent.saved()).toBe(savedAlone);
    expect(await neutron.agent.update(neutronRouter(NO_SCOPE))).toBe(0);
  });
});

describe.each(BACKENDS)('the imitation by iptables-%s', (backend) => {
  /** The router in the listing, which was taken from a real one. */
  const PORT_FORWARDING =
    /^-A neutron-l3-agent-pf-(\w{8}) -d ([\d.]+)\/32 -p (tcp|udp) -m \S+ --dport (\S+) -j DNAT --to-destination (\S+)$/gm;
  const golden = readFileSync(GOLDEN, 'utf8');
  const order = (id: string) => golden.indexOf(`-j neutron-l3-agent-pf-${id}`);
  const router: NeutronRouter = {
    outside: 'qg-6897b8e1-ba',
    gateway: '198.51.0.11',
    outsideScope: NO_SCOPE,
    inside: [{ name: 'qr-83d7bf46-08', scope: NO_SCOPE }],
    floatingIps: [],
    portForwardings: Array.from(
      golden.matchAll(PORT_FORWARDING),
      ([, id = '', floating = '', name, ports = '', target = '']) => ({
        id,
        floating,
        protocol: name === 'udp' ? ('udp' as const) : ('tcp' as const),
        ports,
        target,
      }),
    ).sort((a, b) => order(a.id) - order(b.id)),
  };

  test('writes what a real agent has written, and treats what others have put there alike', async () => {
    await using namespaces = await createNamespaces();
    const name = namespaces.name('other');
    await namespaces.add(name);
    await ip(name, `link add ${router.outside} type veth peer name far`);
    const saved = async () => parseSaved(await runIn(name, `iptables-${backend}-save`, []));
    const agent = createL3Agent(name, backend);
    expect(await agent.replay(router)).toBeGreaterThan(50);
    expect(await saved()).toEqual(parseSaved(golden));
    expect(await agent.update(router)).toBe(0);

    const dnat = ['-p', 'tcp', '--dport', '9', '-j', 'DNAT', '--to-destination', '10.7.0.9'];
    for (const [how, chain] of [
      ['-I', 'PREROUTING'],
      ['-A', 'neutron-l3-agent-PREROUTING'],
    ] as const) {
      await runIn(name, `iptables-${backend}`, ['-t', 'nat', how, chain, ...dnat]);
    }
    await ip(name, `address add 198.51.0.98/32 dev ${router.outside}`);
    expect(await agent.update(router)).toBe(2);
    expect((await saved()).get('nat')?.get('PREROUTING')).toEqual([
      '-j neutron-l3-agent-PREROUTING',
      '-p tcp -m tcp --dport 9 -j DNAT --to-destination 10.7.0.9',
    ]);
    expect((await saved()).get('nat')?.get('neutron-l3-agent-PREROUTING')).toHaveLength(2);
    const addresses = await runIn(name, 'ip', ['-4', '-brief', 'address', 'show', 'dev', router.outside]);
    expect(addresses.match(/[\d.]+\/32/g)).toEqual(['198.51.0.14/32']);
  });
});
