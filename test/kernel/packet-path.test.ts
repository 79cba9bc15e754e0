import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PROTOCOL_NUMBERS } from '../../src/model/protocol.ts';
import type { Program } from '../../src/program/rule.ts';
import { PROTOCOLS } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { openPeer } from '../support/peer.ts';
import { type Started, startLinux } from './linux-under-test.ts';
import { listTable } from './nft-listing.ts';

const PAGE = join(import.meta.dirname, '../../docs/packet-path.md');
const GOLDEN = join(import.meta.dirname, 'golden');
const UPDATE = process.env['UPDATE_DOCS'] === '1';

const FAMILIES = [4, 6] as const;
const SOURCES = { 4: ['192.0.2.7', '198.51.100.0/25'], 6: ['2001:db8:7::/48', '2001:db8:100::5'] };

const EXAMPLE = programOf([
  ruleOf(1, 'tcp', [GATEWAY[4], 5001], [INSTANCE[4], 22]),
  ruleOf(2, 'udp', [GATEWAY[4], 5001], [INSTANCE[4], 22]),
  ruleOf(3, 'tcp', [GATEWAY[6], 5001], [INSTANCE[6], 22]),
]);

let network: Network;
let linux: Started;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
});

afterEach(() => nft(network.router, 'flush ruleset'));

afterAll(async () => {
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

async function listing(program: Program): Promise<string> {
  await linux.dataplane.clean(network.router);
  await linux.dataplane.synchronise(network.router, program);
  return normalised((await listTable(network.router)) ?? '');
}

/**
 * Where versions of nft and kernels differ, and mean the same: elements come in any order and with other line breaks,
 * protocols are numbers where /etc/protocols is missing, and nft 1.1 has names for priorities in the output hook, too.
 */
function normalised(table: string): string {
  const numbered = table.replace('hook output priority dstnat - 10;', 'hook output priority -110;');
  return numbered.replaceAll(/elements = \{([^}]*)\}/g, (_, list: string) => {
    const elements = list.split(',').map((element) => named(element.trim().replaceAll(/\s+/g, ' ')));
    return `elements = { ${elements.sort().join(',\n\t\t\t     ')} }`;
  });
}

function named(element: string): string {
  return element.replace(/ \. (\d+) \. /, (whole, number: string) => {
    const known = Object.entries(PROTOCOL_NUMBERS).find(([, protocol]) => protocol === Number(number));
    return known === undefined ? whole : ` . ${known[0]} . `;
  });
}

/** The page's block in this language; with UPDATE_DOCS=1 it is what it should be. */
function block(language: string, current: string): string {
  const form = new RegExp(`(?<=^\`\`\`${language}\n)[^\`]*(?=\`\`\`$)`, 'm');
  const page = readFileSync(PAGE, 'utf8');
  if (UPDATE)
    writeFileSync(
      PAGE,
      page.replace(form, () => current),
    );
  return form.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '';
}

describe('the page', () => {
  test('shows the table as it is', async () => {
    const table = await listing(EXAMPLE);
    expect(block('nft', table)).toBe(table);
  });

  test('shows a flow as connection tracking has it', async () => {
    await using client = await openPeer(network.client);
    await using instance = await openPeer(network.instance);
    await instance.serveUdp(22, INSTANCE[4]);
    await linux.dataplane.synchronise(network.router, EXAMPLE);
    await client.ask(GATEWAY[4], 5001, { localPort: 40_000 });
    const flows = await runIn(network.router, 'conntrack', ['-L', '--dst-nat', '-p', 'udp']);
    // How many seconds are left changes; the rest of the line does not.
    const flow = flows.replaceAll(/^(udp +17) \d+/gm, '$1 29');
    expect(block('conntrack', flow)).toBe(flow);
  });

  test('says which lookup tells where a port leads', async () => {
    const [, lookup = ''] = /`nft (get element [^`]*)`/.exec(readFileSync(PAGE, 'utf8')) ?? [];
    await linux.dataplane.synchronise(network.router, EXAMPLE);
    const found = await runIn(network.router, 'nft', [lookup.replaceAll("'", '')]);
    expect(found).toContain(`${INSTANCE[4]} . 22`);
  });
});

describe('golden listings', () => {
  const everyProtocol = PROTOCOLS.flatMap((protocol, index) =>
    ([4, 6] as const).map((family) =>
      ruleOf(10 * family + index, protocol, [GATEWAY[family], 5001], [INSTANCE[family], 8000 + index]),
    ),
  );
  const edges = [
    ruleOf(1, 'tcp', ['1.0.0.0', 1], ['223.255.255.254', 65535]),
    ruleOf(2, 'tcp', ['223.255.255.254', 65535], ['1.0.0.0', 1]),
    ruleOf(3, 'udp', ['2001:db8::1:0:0:1', 1], ['fd00::', 65535]),
    ruleOf(4, 'udp', ['2a00:1:2:3:4:5:6:7', 65535], ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 1]),
  ];

  const wide = FAMILIES.flatMap((family) => [
    ruleOf(10 * family, 'tcp', [GATEWAY[family], '8000-8099'], [INSTANCE[family], '8000-8099']),
    ruleOf(10 * family + 1, 'udp', [GATEWAY[family], '8000-8099'], [INSTANCE[family], 53]),
    ruleOf(10 * family + 2, 'tcp', [GATEWAY[family], '8100-8102'], [INSTANCE[family], '9100-9102']),
    ruleOf(10 * family + 3, 'tcp', [GATEWAY[family], 22], [INSTANCE[family], 22], ...SOURCES[family]),
    ruleOf(10 * family + 4, 'sctp', [GATEWAY[family], '1-65535'], [INSTANCE[family], '1-65535'], ...SOURCES[family]),
  ]);

  test.each<[string, Program]>([
    ['ranges-and-sources', programOf(wide)],
    ['one-of-each-family', EXAMPLE],
    ['every-protocol', programOf(everyProtocol)],
    ['edges', programOf(edges)],
  ])('%s', async (name, program) => {
    const table = await listing(program);
    const file = join(GOLDEN, `${name}.nft`);
    if (UPDATE) mkdirSync(GOLDEN, { recursive: true });
    if (UPDATE) writeFileSync(file, table);
    expect(table).toBe(readFileSync(file, 'utf8'));
  });

  test.each(['ranges-and-sources', 'one-of-each-family', 'every-protocol', 'edges'])(
    '%s can be read by nft, and is what we make',
    async (name) => {
      const golden = readFileSync(join(GOLDEN, `${name}.nft`), 'utf8');
      await nft(network.router, golden);
      expect(normalised((await listTable(network.router)) ?? '')).toBe(golden);
    },
  );
});

describe('beside iptables', () => {
  const theirs = ['-d', GATEWAY[4], '-p', 'udp', '-j', 'DNAT', '--to-destination', '10.20.0.12:22'];

  test('ours comes first, theirs has what is left, and neither changes the other', async () => {
    await using client = await openPeer(network.client);
    await using instance = await openPeer(network.instance);
    await instance.serveUdp(22, INSTANCE[4]);
    await runIn(network.router, 'iptables', ['-t', 'nat', '-A', 'PREROUTING', ...theirs]);
    const before = await runIn(network.router, 'iptables', ['-t', 'nat', '-S']);
    await linux.dataplane.synchronise(network.router, EXAMPLE);
    expect(await client.ask(GATEWAY[4], 5001, { localPort: 41_000 })).toBe(`${CLIENT[4]} 41000`);
    await expect(client.ask(GATEWAY[4], 5002, { localPort: 41_001, patience: 200 })).rejects.toThrow('timeout');
    expect(await flowTo(41_001)).toContain('src=10.20.0.12');
    expect(await runIn(network.router, 'iptables', ['-t', 'nat', '-S'])).toBe(before);
    await runIn(network.router, 'iptables-restore', [], '*nat\nCOMMIT\n');
    expect(await linux.dataplane.synchronise(network.router, EXAMPLE)).toEqual({ corrections: 0 });
  });

  function flowTo(sourcePort: number): Promise<string> {
    return runIn(network.router, 'conntrack', ['-L', '-p', 'udp', '--orig-port-src', String(sourcePort)]);
  }
});
