import { ip, runIn } from './command.ts';
import { type Chains, type NeutronRouter, tablesOf } from './l3-rules.ts';

/**
 * Does to a router's namespace what Neutron's l3-agent does: its chains in all tables of both families, by
 * `iptables-restore --noflush`, and its floating IPs as addresses of the outside interface. Like the agent it keeps
 * others' rules in the built-in chains, behind its own, and nothing of others in its own chains or among the /32
 * addresses of that interface.
 */
export interface L3Agent {
  /** A router update: corrects what differs from what the router is to have, and gives how many chains that were. */
  update(router: NeutronRouter): Promise<number>;
  /** The same as after its own start: writes every chain anew. */
  replay(router: NeutronRouter): Promise<number>;
  /** Everybody's rules as `iptables-save` prints them, both families, without times and counters. */
  saved(): Promise<string>;
}

/** Debian's package iptables has both; which one is behind the name `iptables` is up to the machine. */
export const BACKENDS = ['nft', 'legacy'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Rules by table and chain, without what is before a chain's name. */
export type SavedRules = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

export function createL3Agent(namespace: string, backend: Backend): L3Agent {
  const programs = { 4: `iptables-${backend}`, 6: `ip6tables-${backend}` } as const;
  return {
    update: (router) => bring(router, 'changed'),
    replay: (router) => bring(router, 'all'),
    async saved() {
      const texts = await Promise.all([4, 6].map((family) => save(family === 4 ? programs[4] : programs[6])));
      return texts.join('').replaceAll(/^#.*\n| \[\d+:\d+\]$/gm, '');
    },
  };

  async function bring(router: NeutronRouter, which: 'changed' | 'all'): Promise<number> {
    await bringAddresses(namespace, router);
    let count = 0;
    for (const family of [4, 6] as const) {
      const found = parseSaved(await save(programs[family]));
      const rewrites = Object.entries(tablesOf(router, family)).map(([table, chains]) =>
        rewriteTable(table, chains, found.get(table) ?? new Map(), which),
      );
      const script = rewrites.map(({ text }) => text).join('');
      if (script !== '') await runIn(namespace, `${programs[family]}-restore`, ['--noflush'], script);
      for (const rewrite of rewrites) count += rewrite.count;
    }
    return count;
  }

  function save(program: string): Promise<string> {
    return runIn(namespace, `${program}-save`, []);
  }
}

/** Floating IPs that are wanted and no other /32; the flows of those that go end. */
async function bringAddresses(namespace: string, { outside, floatingIps, portForwardings }: NeutronRouter) {
  const wanted = new Set([...floatingIps, ...portForwardings].map(({ floating }) => floating));
  const listing = await runIn(namespace, 'ip', ['-4', '-brief', 'address', 'show', 'dev', outside]);
  const present = new Set(Array.from(listing.matchAll(/ ([\d.]+)\/32/g), ([, address = '']) => address));
  for (const address of wanted.difference(present)) await ip(namespace, `address add ${address}/32 dev ${outside}`);
  for (const address of present.difference(wanted)) {
    await ip(namespace, `address delete ${address}/32 dev ${outside}`);
    // It fails where there is no such flow.
    for (const side of ['--orig-dst', '--reply-src']) {
      await runIn(namespace, 'conntrack', ['-D', side, address]).catch(() => undefined);
    }
  }
}

/** Reads what `iptables-save` prints. */
export function parseSaved(text: string): SavedRules {
  const tables = new Map<string, Map<string, string[]>>();
  let chains = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, mark = '', name = '', rest = ''] = /^(\*|:|-A )(\S+) ?(.*)$/.exec(line) ?? [];
    if (mark === '*') {
      chains = new Map();
      tables.set(name, chains);
    }
    if (mark === ':') chains.set(name, []);
    if (mark === '-A ') chains.get(name)?.push(rest);
  }
  return tables;
}

const isOwn = (text: string) => text.includes('neutron-');

function rewriteTable(
  table: string,
  wanted: Chains,
  found: ReadonlyMap<string, readonly string[]>,
  which: 'changed' | 'all',
): { readonly text: string; readonly count: number } {
  const gone = [...found.keys()].filter((chain) => isOwn(chain) && !(chain in wanted));
  const complete = Object.entries(wanted).map(([chain, rules]) => {
    const foreign = isOwn(chain) ? [] : (found.get(chain) ?? []).filter((rule) => !isOwn(rule));
    return { chain, rules: [...rules, ...foreign] };
  });
  const changed = complete.filter(({ chain, rules }) => which === 'all' || !sameRules(found.get(chain), rules));
  const count = changed.length + gone.length;
  if (count === 0) return { text: '', count };
  const lines = [
    `*${table}`,
    // With --noflush, this makes the chain or empties it.
    ...changed.map(({ chain }) => (isOwn(chain) ? `:${chain} - [0:0]` : `-F ${chain}`)).sort(),
    ...gone.map((chain) => `-F ${chain}`),
    ...changed.flatMap(({ chain, rules }) => rules.map((rule) => `-A ${chain} ${rule}`)),
    ...gone.map((chain) => `-X ${chain}`),
    'COMMIT',
  ];
  return { text: `${lines.join('\n')}\n`, count };
}

function sameRules(found: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return found !== undefined && found.length === wanted.length && found.every((rule, at) => rule === wanted[at]);
}
