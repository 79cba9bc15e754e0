import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ip, nft, runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

/**
 * What happens to flows of forwards that end, or lead elsewhere, while no daemon can see to it: from the outside, by
 * flows that conntrack has before and after.
 */
const BACKENDS = ['nftables', 'iptables'] as const;
const SECOND_GATEWAY = '198.51.100.9';

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let client: Peer;
let instance: Peer;
let lastPort = 30_000;

beforeAll(async () => {
  network = await createNetwork();
  instance = await openPeer(network.instance);
  client = await openPeer(network.client);
  for (const port of [22, 23, 5006]) await instance.serveTcp(port);
  for (const family of [4, 6] as const) await instance.serveUdp(22, INSTANCE[family]);
  for (const kind of ['', '_stream']) {
    await runIn(network.router, 'sysctl', ['--quiet', '--write', `net.netfilter.nf_conntrack_udp_timeout${kind}=3600`]);
  }
  // Another program's own translation: Linux translates flows as long as there is some rule, and this one has flows, too.
  const foreign = `tcp dport 6002 dnat to ${INSTANCE[4]}:22`;
  await nft(
    network.router,
    `table ip foreign { chain pre { type nat hook prerouting priority dstnat; ${foreign}; }; chain post { type nat hook postrouting priority srcnat; }; }`,
  );
});

afterAll(async () => {
  for (const opened of [client, instance, network]) await opened[Symbol.asyncDispose]();
});

describe.each(BACKENDS)('by %s', (backend) => {
  beforeAll(async () => {
    const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE], backend }];
    home = await openDaemonHome({ neutron: false, routers });
  });

  afterAll(() => home[Symbol.asyncDispose]());

  beforeEach(async () => {
    daemon = await home.start();
  });

  afterEach(async () => {
    for (const { id } of await home.client.listForwards({})) await home.client.removeForward(id, '5');
    await daemon.stop();
    await runIn(network.router, 'conntrack', ['-F']);
  });

  function publish(name: string, external_port: number | string, more: Readonly<Record<string, unknown>> = {}) {
    const fields = { name, router: network.router, internal_address: INSTANCE[4], internal_port: 22, external_port };
    return home.client.createForward({ ...fields, ...more }, '5');
  }

  /** The outside ports of flows that conntrack has, each once and in order. */
  async function ports(): Promise<readonly number[]> {
    const families = await Promise.all(
      ['ipv4', 'ipv6'].map((family) => runIn(network.router, 'conntrack', ['-L', '-f', family])),
    );
    const found = families.flatMap((text) => text.split('\n').flatMap((line) => /dport=(\d+)/.exec(line)?.[1] ?? []));
    return [...new Set(found.map(Number))].filter((port) => port < 10_000).sort((a, b) => a - b);
  }

  /** Others delete what is ours, without which nothing tells of what was there. */
  async function flush(): Promise<void> {
    if (backend === 'nftables') await nft(network.router, 'add table inet hatoba; delete table inet hatoba');
    else for (const program of ['iptables', 'ip6tables']) await runIn(network.router, program, ['-t', 'nat', '-F']);
  }

  /** One that stays, one that drains, one of another program: none of them may end. */
  async function openOthers(): Promise<void> {
    await publish('stays', 6001);
    await publish('drains', 6003);
    for (const port of [6001, 6002, 6003]) await client.open(GATEWAY[4], port);
  }

  /** A daemon that commits to the store and never gets to the kernel, killed after `change`. */
  async function whileNoneProgrammes(change: () => Promise<unknown>): Promise<void> {
    const half = await home.start('--roles', 'api');
    await change();
    await half.kill();
  }

  test.each([
    ['its elements have timed out', false],
    ['the table was flushed', true],
  ])('forwards that expired while no daemon ran: their flows end, when %s', async (_, isFlushed) => {
    await openOthers();
    const expires_in = 5;
    const { expires_at } = await publish('tcp', 5001, { expires_in });
    await publish('udp', 5002, { expires_in, protocol: 'udp' });
    await publish('six', 5003, { expires_in, protocol: 'udp', internal_address: INSTANCE[6] });
    await publish('range', '5004-5009', { expires_in, internal_port: '5004-5009' });
    await publish('guarded', 5010, { expires_in, sources: [`${CLIENT[4]}/32`] });
    await client.open(GATEWAY[4], 5001);
    await client.ask(GATEWAY[4], 5002, { localPort: ++lastPort });
    await client.ask(GATEWAY[6], 5003, { localPort: ++lastPort });
    await client.open(GATEWAY[4], 5006);
    await client.open(GATEWAY[4], 5010);
    await daemon.kill();
    expect(await ports()).toEqual([5001, 5002, 5003, 5006, 5010, 6001, 6002, 6003]);
    if (isFlushed) await flush();
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(expires_at ?? '') + 600), 60_000);
    daemon = await home.start();
    expect(await ports()).toEqual([6001, 6002, 6003]);
  });

  test.each([
    ['is there', false],
    ['was flushed', true],
  ])(
    'forwards that are removed or changed just before a kill: their flows end, when the table %s',
    async (_, isFlushed) => {
      await openOthers();
      for (const [at, name] of ['removed', 'disabled', 'moved', 'turned', 'twice', 'pruned'].entries()) {
        await publish(name, 5001 + at);
        await client.open(GATEWAY[4], 5001 + at);
      }
      await daemon.kill();
      await whileNoneProgrammes(async () => {
        const change = async (name: string, fields: Readonly<Record<string, unknown>>) =>
          home.client.updateForward(name, fields, '0');
        await home.client.removeForward('removed', '0');
        await home.client.removeForward('drains', '0', true);
        await change('disabled', { enabled: false });
        await change('moved', { external_port: 5999 });
        await change('turned', { internal_port: 23 });
        await change('twice', { internal_port: 23 });
        await home.client.removeForward('twice', '0');
        await change('stays', { description: 'leads where it did' });
        await home.client.removeForward('pruned', '0');
      });
      if (isFlushed) await flush();
      daemon = await home.start();
      expect(await ports()).toEqual([6001, 6002, 6003]);
    },
  );

  test('the gateway address changes while no daemon runs, and the table is flushed: flows on the old one end', async () => {
    await openOthers();
    await publish('on-gateway', 5001);
    await publish('named', 5002, { external_address: GATEWAY[4] });
    for (const port of [5001, 5002]) await client.open(GATEWAY[4], port);
    await daemon.kill();
    await flush();
    const replace = (from: string, to: string) =>
      ip(network.router, `address del ${from}/24 dev ${OUTSIDE}`, `address add ${to}/24 dev ${OUTSIDE}`);
    await replace(GATEWAY[4], SECOND_GATEWAY);
    daemon = await home.start();
    // Those of `openOthers` that are ours are on the gateway, too.
    expect(await ports()).toEqual([5002, 6002]);
    await daemon.kill();
    await replace(SECOND_GATEWAY, GATEWAY[4]);
    daemon = await home.start();
  });

  test('a start that is killed before its first pass forgets nothing', async () => {
    await openOthers();
    const { expires_at } = await publish('expired', 5001, { expires_in: 4 });
    await publish('removed', 5002);
    for (const port of [5001, 5002]) await client.open(GATEWAY[4], port);
    await daemon.kill();
    await whileNoneProgrammes(() => home.client.removeForward('removed', '0'));
    await flush();
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(expires_at ?? '') + 600), 60_000);
    for (let kill = 0; kill < 4; kill++) {
      const early = home.launch();
      // At any moment between the first look at the namespace and the first pass.
      await new Promise((resolve) => setTimeout(resolve, 150 * (kill + 1)));
      await early.kill();
    }
    daemon = await home.start();
    expect(await ports()).toEqual([6001, 6002, 6003]);
  });
});
