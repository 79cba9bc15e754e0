import type { Kernel, Links } from '../../../kernel/kernel.ts';
import type { Address, Family } from '../../../model/address.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { WayFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { clientOf } from './client.ts';
import { type RouteAnswer, type RoutedPacket, readRoutes } from './routes.ts';

const LOOPBACK = 'lo';

interface Sides {
  /** The interfaces that lead outside. */
  readonly outside: (family: Family) => readonly string[];
  /** Those that lead to inner networks. */
  readonly inside: readonly string[];
}

/** How the packets of these rules are routed. */
export async function readWays(
  kernel: Pick<Kernel, 'run'>,
  namespace: string,
  rules: readonly Rule[],
  links: Links,
  { outside, inside }: Sides,
): Promise<ReadonlyMap<ForwardId, WayFacts>> {
  const ask = async (packets: readonly RoutedPacket[]) => {
    const distinct = new Map(packets.map((packet) => [keyOf(packet), packet]));
    const answers = await readRoutes(kernel, namespace, [...distinct.values()]);
    const found = new Map([...distinct.keys()].map((key, at) => [key, answers[at]]));
    return packets.map((packet): RouteAnswer => found.get(keyOf(packet)) ?? { failure: 'the kernel does not say' });
  };
  const own = addressesOf(links);
  const clients = rules.map((rule) => ({ rule, client: clientOf(rule, own) }));
  // Where the forward names no sources, clients are taken to be outside.
  const named = clients.filter(({ rule }) => rule.sources.length > 0);
  const toNamed = await ask(named.map(({ client }) => ({ source: null, destination: client, by: null })));
  const insideBy = new Map(named.map(({ rule }, at) => [rule.forward, interfaceAmong(inside, toNamed[at])]));
  const begun = clients.map(({ rule, client }) => {
    const behind = insideBy.get(rule.forward);
    const arrivesBy = behind ?? interfacesWith(links, rule.external) ?? outside(rule.external.family);
    const isBridged = links.interfaces.some(({ name, isBridge }) => isBridge && arrivesBy.includes(name));
    return { rule, client, arrivesBy, isBridged };
  });
  const arriving = await ask(
    begun.map(({ rule, client, arrivesBy }) => ({
      source: client,
      destination: rule.internal,
      by: arrivesBy[0] ?? null,
    })),
  );
  // Where the packet would not be forwarded for its source's sake, there may be a route nevertheless.
  const plain = await ask(begun.map(({ rule }) => ({ source: null, destination: rule.internal, by: null })));
  const ways = begun.map((way, at) => {
    const [first, second] = [arriving[at] ?? NO_ROUTE, plain[at] ?? NO_ROUTE];
    return {
      ...way,
      refusal: 'failure' in first && !('failure' in second) ? first.failure : null,
      toTarget: 'failure' in first ? second : first,
    };
  });
  const answers = await ask(
    ways.map(({ rule, client, toTarget }) => {
      const by = 'failure' in toTarget || toTarget.isLocal === true ? null : toTarget.interface;
      return { source: rule.internal, destination: client, by };
    }),
  );
  return new Map(
    ways.map(({ rule, toTarget, ...way }, at) => {
      const isLocal = 'interface' in toTarget && toTarget.isLocal === true;
      const behind = insideBy.get(rule.forward) ?? [];
      const isHairpin = !isLocal && 'interface' in toTarget && behind.includes(toTarget.interface);
      return [rule.forward, { ...way, toTarget, isLocal, isHairpin, toClient: answers[at] ?? NO_ROUTE }];
    }),
  );
}

const NO_ROUTE: RouteAnswer = { failure: 'the kernel does not say' };

function interfaceAmong(names: readonly string[], route: RouteAnswer | undefined): readonly string[] | null {
  if (route === undefined || 'failure' in route) return null;
  return names.includes(route.interface) ? [route.interface] : null;
}

function addressesOf({ interfaces }: Links): ReadonlySet<string> {
  return new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address.text)));
}

function keyOf({ source, destination, by }: RoutedPacket): string {
  return `${source?.text} ${destination.text} ${by}`;
}

/** Those that have the address, by one of which clients come in; `null`: none, or the router's own only. */
function interfacesWith({ interfaces }: Links, wanted: Address): readonly string[] | null {
  const found = interfaces.filter(({ name, addresses }) => {
    return name !== LOOPBACK && addresses.some(({ address }) => address.text === wanted.text);
  });
  return found.length === 0 ? null : found.map(({ name }) => name);
}
