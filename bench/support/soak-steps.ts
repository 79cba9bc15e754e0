import { execFileSync } from 'node:child_process';
import type { Daemon } from './daemon.ts';
import { addNamespaces, removeNamespace } from './namespaces.ts';

/** Somebody who does things at random, through the API and past it. */
export interface Churn {
  /** One thing, done; what is refused is told by a rejection. */
  step(): Promise<void>;
  /** Whatever he took away is there again. */
  restore(): void;
}

/** A number from 0 to below `below`. */
type Random = (below: number) => number;

/** So many forwards are aimed at, over all routers. */
const FORWARDS = 400;
const OUTSIDE = 'qg-0';

export function createChurn(daemon: Pick<Daemon, 'call'>, routers: readonly string[], random: Random): Churn {
  const present: string[] = [];
  const away = new Set<string>();
  const pick = <Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item | undefined =>
    items[random(items.length)];

  /** Waited for by half of the requests, so that the others' changes meet in one pass. */
  const wait = () => `wait=${5 * random(2)}`;
  const target = () => `192.168.50.${1 + random(250)}`;

  async function create(): Promise<void> {
    const first = 1 + random(60_000);
    const created = await daemon.call('POST', `/v1/forwards?${wait()}`, {
      router: pick(routers),
      protocol: pick(['tcp', 'udp']),
      external_address: pick(['gateway', '192.168.1.100', '192.168.1.101']),
      external_port: random(10) === 0 ? `${first}-${first + random(100)}` : first,
      internal_address: target(),
      ...(random(5) === 0 ? { sources: [`198.51.${random(256)}.0/24`] } : {}),
      ...(random(10) === 0 ? { expires_in: 1 + random(60) } : {}),
    });
    present.push(idOf(created));
  }

  async function change(): Promise<void> {
    const id = pick(present);
    if (id === undefined) return;
    const field = pick([{ internal_address: target() }, { enabled: true }, { enabled: false }, { expires_at: null }]);
    await daemon.call('PATCH', `/v1/forwards/${id}?${wait()}`, field);
  }

  async function remove(): Promise<void> {
    const [id] = present.splice(random(present.length), 1);
    if (id !== undefined) await daemon.call('DELETE', `/v1/forwards/${id}?${wait()}&drain=${random(2) === 0}`);
  }

  function damage(): void {
    const router = pick(routers);
    if (router === undefined || away.has(router)) return;
    const script = pick([
      'flush ruleset',
      'add table inet hatoba; delete table inet hatoba',
      'add table inet theirs; delete table inet theirs',
      'add table inet hatoba; add chain inet hatoba stranger',
    ]);
    execFileSync('ip', ['netns', 'exec', router, 'nft', `${script}`]);
  }

  function takeAwayOrBringBack(): void {
    const router = pick(routers);
    if (router === undefined) return;
    if (away.delete(router)) addRouters([router]);
    else {
      away.add(router);
      removeNamespace(router);
    }
  }

  function readdress(): void {
    const router = pick(routers);
    if (router === undefined || away.has(router)) return;
    execFileSync('ip', ['-n', router, 'address', 'flush', 'dev', OUTSIDE]);
    execFileSync('ip', ['-n', router, 'address', 'add', `192.0.2.${1 + random(250)}/24`, 'dev', OUTSIDE]);
  }

  return {
    async step() {
      const what = random(100);
      if (what < 6) return damage();
      if (what < 9) return takeAwayOrBringBack();
      if (what < 12) return readdress();
      if (what < 40) return change();
      return random(2 * FORWARDS) < present.length ? remove() : create();
    },
    restore() {
      addRouters([...away]);
      away.clear();
    },
  };
}

/** Namespaces with an outside interface that has an address. */
export function addRouters(names: readonly string[]): void {
  addNamespaces(names);
  for (const name of names) {
    execFileSync('ip', ['-n', name, 'link', 'add', OUTSIDE, 'type', 'bridge']);
    execFileSync('ip', ['-n', name, 'link', 'set', OUTSIDE, 'up']);
    execFileSync('ip', ['-n', name, 'address', 'add', '192.0.2.1/24', 'dev', OUTSIDE]);
  }
}

/** The same numbers each time (mulberry32), so that a run can be repeated. */
export function seededRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function idOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('id' in value)) throw new Error('no forward was answered');
  return String(value.id);
}
