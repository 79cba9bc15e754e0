import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';
import { IPTABLES_RULESETS, NFT_RULESETS, type Ruleset } from './rulesets/firewalls.ts';

const RULE = ruleOf(1, 'tcp', [GATEWAY[4], 80], [INSTANCE[4], 8080]);

let network: Network;
let linux: Started;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(8080);
  await linux.dataplane.synchronise(network.router, programOf([RULE]));
});

afterAll(async () => {
  for (const peer of [client, instance]) await peer?.[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

/** What is said is what the kernel does, where it is said for certain. */
async function compare({ passes, said }: Ruleset): Promise<void> {
  const got = client.connect(GATEWAY[4], 80, 400).then(
    (greeting) => greeting.startsWith(`${CLIENT[4]} `),
    () => false,
  );
  expect(await got).toBe(passes);
  const facts = await linux.dataplane.examine(network.router, [RULE], false);
  expect(facts.unread).toEqual([]);
  const { passages = [] } = facts.rules.get(RULE.forward) ?? {};
  const stopping = passages.find(({ outcome }) => outcome !== 'accept');
  if (said.outcome === 'accept') expect(stopping).toBeUndefined();
  else {
    const { chain = '', rule } = said;
    const quoted = typeof rule === 'string' ? expect.stringContaining(rule) : rule;
    expect(stopping).toMatchObject({ outcome: said.outcome, rule: quoted, chain: expect.stringContaining(chain) });
  }
}

describe.each(['nft', 'legacy'] as const)('by iptables-%s', (variant) => {
  afterEach(async () => {
    const empty = ['mangle', 'filter'].map((table) => `*${table}\n:FORWARD ACCEPT [0:0]\nCOMMIT\n`).join('');
    await runIn(network.router, `iptables-${variant}-restore`, [], empty);
    if (variant === 'nft') {
      for (const table of ['mangle', 'filter'])
        await nft(network.router, `add table ip ${table}; delete table ip ${table}`);
    }
  });

  test.each(IPTABLES_RULESETS)('$name', async (ruleset) => {
    await runIn(network.router, `iptables-${variant}-restore`, [], ruleset.iptables);
    await compare(ruleset);
  });
});

describe('by nft', () => {
  afterEach(async () => {
    const tables = ['inet fence', 'ip second', 'ip6 second', 'inet firewalld'];
    await nft(network.router, tables.map((table) => `add table ${table}; delete table ${table}`).join('\n'));
  });

  test.each(NFT_RULESETS)('$name', async (ruleset) => {
    await nft(network.router, ruleset.nft ?? '');
    await compare(ruleset);
  });
});
