import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { diagnosePassages } from '../../src/program/diagnosis/rule.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';
import { HOOK_RULESETS, type HookRuleset } from './rulesets/hooks.ts';

const OPEN = ruleOf(1, 'tcp', [GATEWAY[4], 80], [INSTANCE[4], 8080]);
const GUARDED = ruleOf(1, 'tcp', [GATEWAY[4], 80], [INSTANCE[4], 8080], `${CLIENT[4]}/32`);
/** In ms: what does not come by then was dropped; and, for what comes, time enough on a machine under load. */
const [SHORT, LONG] = [300, 20_000];

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
  await linux.dataplane.synchronise(network.router, programOf([OPEN]));
});

afterAll(async () => {
  for (const peer of [client, instance]) await peer?.[Symbol.asyncDispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

const TABLES = ['raw', 'mangle', 'nat', 'filter'];

afterEach(async () => {
  const tables = ['inet fence', 'netdev fence', ...TABLES.map((table) => `ip ${table}`)];
  await nft(network.router, tables.map((table) => `add table ${table}; delete table ${table}`).join('\n'));
  const empty = TABLES.map((table) => `*${table}\n${table === 'filter' ? ':FORWARD ACCEPT [0:0]\n' : ''}COMMIT\n`).join(
    '',
  );
  await runIn(network.router, 'iptables-legacy-restore', [], empty);
});

/** Whether a connection comes about on which something can be sent and comes back. */
async function exchanges(patience: number): Promise<boolean> {
  try {
    const { id } = await client.open(GATEWAY[4], 80, patience);
    return (await client.echo(id, 'x', patience)) === 'x';
  } catch {
    return false;
  } finally {
    await client.reset();
  }
}

/** What is said is what becomes of a connection. */
async function compare({ open = false, passes, code, quotes = [] }: HookRuleset): Promise<void> {
  expect(await exchanges(passes ? LONG : SHORT)).toBe(passes);
  const facts = await linux.dataplane.examine(network.router, [open ? OPEN : GUARDED], false);
  const rule = facts.rules.get(OPEN.forward);
  if (rule === undefined) throw new Error('nothing was found out');
  const subject = { router: network.router, instance: network.router, forward: OPEN.forward };
  const findings = diagnosePassages(subject, rule, facts);
  const found = findings.find((finding) => finding.code === code);
  expect(found, JSON.stringify(findings)).toBeDefined();
  for (const quote of quotes) expect(found?.seen).toContain(quote);
}

const byNft = HOOK_RULESETS.filter((ruleset) => ruleset.iptables === undefined);
const byIptables = HOOK_RULESETS.filter((ruleset) => ruleset.iptables !== undefined);

test.each(byNft)('by nft: $name', async (ruleset) => {
  await nft(network.router, ruleset.nft ?? '');
  await compare(ruleset);
});

test.each((['nft', 'legacy'] as const).flatMap((variant) => byIptables.map((ruleset) => ({ ...ruleset, variant }))))(
  'by iptables-$variant: $name',
  async ({ variant, ...ruleset }) => {
    await runIn(network.router, `iptables-${variant}-restore`, [], ruleset.iptables ?? '');
    if (ruleset.nft !== undefined) await nft(network.router, ruleset.nft);
    await compare(ruleset);
  },
);
