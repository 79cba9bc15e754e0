import { HatobaError } from '../../../model/errors.ts';
import type { Forward } from '../../../model/forward.ts';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { ServiceAccount } from './account.ts';
import { portOf } from './port-label.ts';
import { insideOf } from './router-inside.ts';

export interface Orphans {
  readonly forwards: readonly Forward[];
  /** Routers about which nothing can be said, since Neutron does not show them to this account. */
  readonly hidden: readonly RouterId[];
}

/**
 * Of forwards that were made for ports, those whose router or port there is no more, or whose port has their address no
 * more. What this account is not shown may still be there: a port is gone only where the router's own interfaces are
 * shown, a router only to an account that sees all. Errors: those of `NeutronClient`; then nothing is known.
 */
export async function findOrphans(
  neutron: NeutronClient,
  { credentials, seesAll }: ServiceAccount,
  forwards: readonly Forward[],
): Promise<Orphans> {
  const made = forwards.flatMap((forward) => {
    const port = portOf(forward);
    return port === null ? [] : [{ forward, port }];
  });
  const asked = distinct(made.map(({ forward }) => forward.router));
  const [routers, ports] = await Promise.all([
    neutron.routers(credentials, asked),
    neutron.portsById(credentials, distinct(made.map(({ port }) => port))),
  ]);
  const missing = difference(asked, new Set(routers.map(({ id }) => id)));
  const addresses = new Map(ports.map(({ id, fixed_ips }) => [id, fixed_ips.map(({ ip_address }) => ip_address)]));
  const suspects = made
    .filter(({ forward, port }) => !addresses.get(port)?.includes(forward.internalAddress.text))
    .map(({ forward }) => forward);
  const gone = new Set(seesAll ? missing : []);
  for (const router of difference(distinct(suspects.map((forward) => forward.router)), new Set(missing))) {
    if ((await insideOf(neutron, credentials, router)).size > 0) gone.add(router);
  }
  const lost = new Set(suspects);
  const orphans = made
    .map(({ forward }) => forward)
    .filter((forward) => gone.has(forward.router) && (lost.has(forward) || missing.includes(forward.router)));
  return { forwards: orphans, hidden: seesAll ? [] : missing };
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

function difference(texts: readonly string[], others: ReadonlySet<string>): readonly string[] {
  return texts.filter((text) => !others.has(text));
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
