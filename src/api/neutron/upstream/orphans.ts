import { HatobaError } from '../../../model/errors.ts';
import type { Forward } from '../../../model/forward.ts';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { ServiceAccount } from './account.ts';
import { portOf } from './port-label.ts';
import { insideOf } from './router-inside.ts';
import type { RouterOwners } from './router-owners.ts';

export interface Orphans {
  readonly forwards: readonly Forward[];
  /** Routers about which nothing can be said, since Neutron does not show them to this account. */
  readonly hidden: readonly RouterId[];
}

/**
 * Of these forwards, all made for ports, those whose router or port there is no more, or whose port has their address no
 * more. What this account is not shown may still be there: a port is gone only where the router's own interfaces are
 * shown, a router only to an account that sees all. Errors: those of `NeutronClient`; then nothing is known.
 */
export async function findOrphans(
  { neutron, owners }: { readonly neutron: NeutronClient; readonly owners: Pick<RouterOwners, 'note'> },
  { credentials, seesAll }: ServiceAccount,
  forwards: readonly Forward[],
): Promise<Orphans> {
  const wanted = distinct(forwards.map(({ router }) => router));
  const [routers, ports] = await Promise.all([
    neutron.routers(credentials, wanted),
    neutron.portsById(credentials, distinct(forwards.flatMap((forward) => portOf(forward) ?? []))),
  ]);
  for (const { id, project_id: project } of routers) owners.note(id, project);
  const there = new Set(routers.map(({ id }) => id));
  const addresses = new Map(ports.map(({ id, fixed_ips }) => [id, fixed_ips.map(({ ip_address }) => ip_address)]));
  const lost = forwards.filter((forward) => {
    const found = addresses.get(portOf(forward) ?? '');
    return there.has(forward.router) && !found?.includes(forward.internalAddress.text);
  });
  const shown = new Set<RouterId>();
  for (const router of distinct(lost.map((forward) => forward.router))) {
    if ((await insideOf(neutron, credentials, router)).size > 0) shown.add(router);
  }
  const portless = lost.filter(({ router }) => shown.has(router));
  const routerless = forwards.filter(({ router }) => !there.has(router));
  const missing = distinct(routerless.map(({ router }) => router));
  return seesAll ? { forwards: [...portless, ...routerless], hidden: [] } : { forwards: portless, hidden: missing };
}

/** Removes them, but for those that have changed meanwhile; gives how many are gone. Errors: `store_…`. */
export async function removeOrphans(forwards: Forwards, orphans: readonly Forward[]): Promise<number> {
  let removed = 0;
  for (const { id, revision } of orphans) {
    if (await removedAt(forwards, id, revision)) removed++;
  }
  return removed;
}

async function removedAt(forwards: Forwards, id: string, revision: number): Promise<boolean> {
  try {
    await forwards.remove(id, revision);
    return true;
  } catch (error) {
    const overtaken = ['revision_mismatch', 'forward_not_found'];
    if (error instanceof HatobaError && overtaken.includes(error.code)) return false;
    throw error;
  }
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
