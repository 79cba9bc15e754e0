import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { forwardsOfDump } from '../../src/interchange/iptables-forwards.ts';
import { parseForwardSpec } from '../../src/model/forward.ts';
import { runIn } from '../support/command.ts';
import { createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

/** The one port on which the instance answers, among those that rules lead to. */
const SERVED = 8002;

let network: Network;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  [client, instance] = await Promise.all([openPeer(network.client), openPeer(network.instance)]);
  await instance.serveTcp(SERVED);
});

afterEach(async () => {
  for (const kind of ['nft', 'legacy']) {
    for (const program of ['iptables', 'ip6tables']) {
      await runIn(network.router, `${program}-${kind}-restore`, [], '*nat\nCOMMIT\n');
    }
  }
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** Rules as the kernel carries them out; `X` is the instance. */
const RULES: readonly (readonly [ports: string, destination: string])[] = [
  ['8001:8003', 'X:8000-8010'],
  ['9001:9003', 'X:8001-8003/9001'],
  ['9102:9103', 'X:8001-8003/9101'],
  ['9202:9203', 'X:8002'],
];

test.each([
  ['iptables-nft', 4],
  ['iptables-legacy', 4],
  ['ip6tables-nft', 6],
  ['ip6tables-legacy', 6],
] as const)('%s: a port becomes the one that the forward says', async (program, family) => {
  const target = (text: string) =>
    text.replace('X:', family === 6 ? `[${INSTANCE[6]}]:` : `${INSTANCE[4]}:`).replace('X', INSTANCE[family]);
  const rules = [...RULES, ['8002', 'X']].map(([ports, destination = '']) => {
    return `-A PREROUTING -d ${GATEWAY[family]} -p tcp --dport ${ports} -j DNAT --to ${target(destination)}`;
  });
  await runIn(network.router, `${program}-restore`, [], ['*nat', ...rules, 'COMMIT', ''].join('\n'));
  const dump = await runIn(network.router, `${program}-save`, ['-t', 'nat']);
  const { taken, left } = forwardsOfDump(dump, { file: 'dump', router: 'r1' });
  expect(left.map(({ reason }) => reason)).toEqual([expect.stringContaining('comes first, and takes all its packets')]);
  expect(taken).toHaveLength(RULES.length);
  for (const { externalPorts, internalPorts } of taken.map(({ forward }) => parseForwardSpec(forward))) {
    const isSingle = internalPorts.first === internalPorts.last;
    for (let port = externalPorts.first; port <= externalPorts.last; port++) {
      const inner = isSingle ? internalPorts.first : internalPorts.first + port - externalPorts.first;
      const answer = client.connect(GATEWAY[family], port).then(() => SERVED, String);
      if (inner === SERVED) expect([port, await answer]).toEqual([port, SERVED]);
      else expect([port, await answer]).toEqual([port, expect.stringContaining('ECONNREFUSED')]);
    }
  }
});
