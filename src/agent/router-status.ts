import type { Gateways, RouterId } from '../model/router.ts';
import { addressesOf, type Baseline, baselineOf, type Problem, type RouterStatus } from '../model/status.ts';
import type { Place } from './place.ts';

/** Of a router whose instances this node has, or some of them. */
interface About {
  readonly router: RouterId;
  readonly node: string;
  readonly gateways: Gateways;
  /** How many forwards are kept that the store does not know. */
  readonly orphaned: number;
}

const BEGINNING: Baseline = Object.freeze({ revision: 0, at: '', gateways: [] });

/** What the node has of the router in all its instances; `undefined`: it has none. */
export function routerStatus(
  { router, node, gateways, orphaned }: About,
  places: readonly Place[],
  warningsOf: (place: Place) => NonNullable<RouterStatus['warnings']>,
): RouterStatus | undefined {
  const [slowest] = [...places].sort((a, b) => a.revision - b.revision);
  if (slowest === undefined) return undefined;
  const problems: Record<string, Problem> = {};
  const warnings: Record<string, readonly string[]> = {};
  for (const place of places) {
    Object.assign(problems, Object.fromEntries(place.applied.problems));
    Object.assign(warnings, warningsOf(place));
  }
  const { revision } = slowest;
  const at = places.map((place) => place.at).sort()[0] ?? slowest.at;
  const baseline = oldestOf(places.map((place) => place.baseline));
  const isOlder = !sameBaseline(baseline, { revision, at, gateways: addressesOf(gateways) });
  return {
    router,
    node,
    instances: places.map(({ instance }) => instance.id).sort(),
    gateways,
    revision,
    at,
    problems,
    ...(Object.keys(warnings).length === 0 ? {} : { warnings }),
    ...(orphaned === 0 ? {} : { orphaned }),
    error: places.find(({ error }) => error !== null)?.error ?? null,
    ...(isOlder ? { baseline } : {}),
  };
}

/**
 * The baseline of an instance that the node finds: by the status that it published last, which an earlier process may have
 * done. Where that does not name the instance, nothing is known of what was programmed there.
 */
export function storedBaseline(statuses: readonly RouterStatus[], node: string, instance: string): Baseline {
  const own = statuses.find((status) => status.node === node && status.instances.includes(instance));
  return own === undefined ? BEGINNING : baselineOf(own);
}

/** One that goes back as far as each of them. */
function oldestOf(baselines: readonly Baseline[]): Baseline {
  const addresses = baselines.flatMap(({ gateways }) => gateways).map((address) => [address.text, address] as const);
  return {
    revision: Math.min(...baselines.map(({ revision }) => revision)),
    at: baselines.map(({ at }) => at).sort()[0] ?? '',
    gateways: [...new Map(addresses).values()],
  };
}

function sameBaseline(a: Baseline, b: Baseline): boolean {
  const texts = ({ gateways }: Baseline) => gateways.map(({ text }) => text).sort();
  return a.revision === b.revision && a.at === b.at && texts(a).join() === texts(b).join();
}
