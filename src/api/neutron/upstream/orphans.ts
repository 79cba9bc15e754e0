import { HatobaError } from '../../../model/errors.ts';
import type { Forward } from '../../../model/forward.ts';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient, NeutronPort } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { Tell } from '../../audit.ts';
import type { ServiceAccount } from './account.ts';
import { portOf } from './port-label.ts';
import { subnetsOf } from './router-inside.ts';
import type { RouterOwners } from './router-owners.ts';

/** Routers that Neutron has shown to this account, and those of them whose own ports it has shown. */
export interface Sightings {
  readonly routers: ReadonlySet<RouterId>;
  readonly ports: ReadonlySet<RouterId>;
}

export interface Orphans {
  readonly forwards: readonly Forward[];
  /** Routers about which nothing can be said, since Neutron may not show them, or their ports, to this account. */
  readonly hidden: readonly RouterId[];
  /** Those of now, and those of before that have forwards. */
  readonly seen: Sightings;
}

interface Finding {
  readonly isLost: boolean;
  /** Whether that could be told. */
  readonly isCertain: boolean;
}

/**
 * Of these forwards, all made for ports, those whose router or port there is no more, whose port has their address no more,
 * or whose router has no interface in its subnet any more. What is missing may only be hidden from this account: a router
 * is gone only for one that sees all and has been shown the router before, an interface for one that sees all and has been
 * shown ports of the router, a port also for one that is shown the router's interfaces. Errors: those of
 * `NeutronClient`; then nothing is known.
 */
export async function findOrphans(
  { neutron, owners }: { readonly neutron: NeutronClient; readonly owners: Pick<RouterOwners, 'note'> },
  { credentials, seesAll }: ServiceAccount,
  forwards: readonly Forward[],
  before: Sightings,
): Promise<Orphans> {
  const wanted = new Set(forwards.map(({ router }) => router));
  const [routers, ports, own] = await Promise.all([
    neutron.routers(credentials),
    neutron.portsById(credentials, [...new Set(forwards.flatMap((forward) => portOf(forward) ?? []))]),
    neutron.portsOfDevices(credentials, [...wanted]),
  ]);
  for (const { id, project_id: project } of routers) owners.note(id, project);
  const there = new Set(routers.map(({ id }) => id));
  const portsById = new Map(ports.map((port) => [port.id, port]));
  const ownPorts = Map.groupBy(own, ({ device_id: router }) => router);
  const seen = {
    routers: there.union(before.routers.intersection(wanted)),
    ports: new Set(ownPorts.keys()).union(before.ports.intersection(wanted)),
  };

  function judge(forward: Forward): Finding {
    const { router } = forward;
    if (!there.has(router)) return { isLost: true, isCertain: seesAll && before.routers.has(router) };
    const inside = subnetsOf(ownPorts.get(router) ?? []);
    const subnet = subnetOf(portsById.get(portOf(forward) ?? ''), forward);
    const isSeen = seesAll && seen.ports.has(router);
    if (subnet === null) return { isLost: true, isCertain: isSeen || inside.size > 0 };
    return { isLost: !inside.has(subnet), isCertain: isSeen };
  }

  const lost = forwards.map((forward) => ({ forward, ...judge(forward) })).filter(({ isLost }) => isLost);
  const [certain, doubtful] = [lost.filter(({ isCertain }) => isCertain), lost.filter(({ isCertain }) => !isCertain)];
  return {
    forwards: certain.map(({ forward }) => forward),
    hidden: [...new Set(doubtful.map(({ forward }) => forward.router))],
    seen,
  };
}

/** In which the port has the address of the forward; `null`: in none. */
function subnetOf(port: NeutronPort | undefined, { internalAddress }: Forward): string | null {
  return port?.fixed_ips.find(({ ip_address }) => ip_address === internalAddress.text)?.subnet_id ?? null;
}

/**
 * Removes them, but for those that have changed meanwhile, and tells of each at once; gives how many are gone. Errors:
 * `store_…`.
 */
export async function removeOrphans(forwards: Forwards, orphans: readonly Forward[], tell: Tell): Promise<number> {
  let removed = 0;
  for (const orphan of orphans) {
    const revision = await removedAt(forwards, orphan);
    if (revision === null) continue;
    removed++;
    tell({ revision, ids: [orphan.id], router: orphan.router, port: portOf(orphan) ?? '' });
  }
  return removed;
}

/** The revision of the store; `null`: it has changed, or is gone. */
async function removedAt(forwards: Forwards, { id, revision }: Forward): Promise<number | null> {
  try {
    return await forwards.remove(id, revision);
  } catch (error) {
    const overtaken = ['revision_mismatch', 'forward_not_found'];
    if (error instanceof HatobaError && overtaken.includes(error.code)) return null;
    throw error;
  }
}
