import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { DRIVERS, type Started, startLinux } from './linux-under-test.ts';
import { listTable } from './nft-listing.ts';

const PROGRAM = programOf([
  ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22]),
  ruleOf(2, 'udp', [GATEWAY[6], 5001], [INSTANCE[6], 22]),
]);
const KEY = `${GATEWAY[4]} . tcp . 5001`;

let network: Network;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await instance?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

describe.each(DRIVERS)('by %s', (driver) => {
  let linux: Started;

  beforeAll(async () => {
    linux = await startLinux(network.namespaces.prefix, { driver });
  });

  beforeEach(async () => {
    await linux.dataplane.synchronise(network.router, PROGRAM);
  });

  afterAll(() => linux[Symbol.asyncDispose]());

  test.each([
    ['a rule before ours', 'insert rule inet hatoba prerouting accept'],
    ['a rule behind ours', 'add rule inet hatoba prerouting drop'],
    ['our rules gone', 'flush chain inet hatoba prerouting'],
    ['the chain gone', 'flush chain inet hatoba prerouting\ndelete chain inet hatoba prerouting'],
    ['a chain that drops', 'add chain inet hatoba x { type filter hook prerouting priority 0 ; policy drop ; }'],
    ['a policy that drops', 'chain inet hatoba prerouting { policy drop ; }'],
    ['a foreign map', 'add map inet hatoba x { type mark : mark ; }'],
    ['a map gone', 'flush chain inet hatoba translate\ndelete map inet hatoba exact4'],
    ['the table asleep', 'add table inet hatoba { flags dormant ; }'],
    ['an empty table', 'delete table inet hatoba\nadd table inet hatoba'],
    ['no table', 'delete table inet hatoba'],
    ['an entry more', 'add element inet hatoba exact6 { 2001:db8::66 . tcp . 66 : fd00::66 . 66 }'],
    ['an entry less', `delete element inet hatoba exact4 { ${KEY} }`],
    ['no entries', 'flush map inet hatoba exact4\nflush map inet hatoba exact6'],
    [
      'an entry without its comment',
      `delete element inet hatoba exact4 { ${KEY} }
      add element inet hatoba exact4 { ${KEY} : ${INSTANCE[4]} . 22 }`,
    ],
  ])('%s: put right to the letter, and traffic goes through', async (_, script) => {
    const before = await listTable(network.router, '--stateless');
    const disturbances = () => linux.events.filter(({ kind }) => kind === 'disturbed').length;
    const earlier = disturbances();
    await nft(network.router, script);
    expect(await listTable(network.router, '--stateless')).not.toBe(before);
    await expect.poll(disturbances).toBe(earlier + 1);
    expect((await linux.dataplane.synchronise(network.router, PROGRAM)).corrections).toBeGreaterThan(0);
    expect(await listTable(network.router, '--stateless')).toBe(before);
    await client.connect(GATEWAY[4], 5001);
    expect(await linux.dataplane.synchronise(network.router, PROGRAM)).toEqual({ corrections: 0 });
  });

  test('what others have beside our table is left as it is, to the letter', async () => {
    const theirs = `table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr ${GATEWAY[4]} tcp dport 5001 dnat to 10.20.0.99
	}
}
table ip hatoba {
	chain theirs {
		counter packets 7 bytes 9
	}
}
`;
    await nft(network.router, theirs);
    await linux.dataplane.synchronise(network.router, new Map());
    await linux.dataplane.synchronise(network.router, PROGRAM);
    await client.connect(GATEWAY[4], 5001);
    await linux.dataplane.clean(network.router);
    const present = await runIn(network.router, 'nft', ['list', 'ruleset']);
    await nft(network.router, 'flush ruleset');
    expect(present.replaceAll('\n\n', '\n')).toBe(theirs);
  });
});
