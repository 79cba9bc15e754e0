import type { Family } from '../../model/address.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import type { RouterStatus } from '../../model/status.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RouterDocument } from './router-schemas.ts';

/** How many forwards each router has that some node has or some forward names, in order of their ids. */
export function countForwards({ forwards, statuses }: Registry): ReadonlyMap<RouterId, number> {
  const counts = new Map(statuses.routers().map((router) => [router, 0]));
  for (const { router } of forwards.list()) counts.set(router, (counts.get(router) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}

export function printRouter(id: RouterId, forwards: number, statuses: readonly RouterStatus[]): RouterDocument {
  return {
    id,
    gateways: [...new Set(statuses.flatMap((status) => printGateways(status.gateways)))],
    forwards,
    nodes: statuses.map(({ node, instances, gateways, revision, at, error, problems }) => ({
      node,
      instances,
      gateways: printGateways(gateways),
      revision,
      at,
      error,
      problems: Object.keys(problems).length,
    })),
  };
}

const FAMILIES: readonly Family[] = [4, 6];

export function printGateways(gateways: Gateways): readonly string[] {
  return FAMILIES.flatMap((family) => gateways[family]?.text ?? []);
}
