import type { FastifyBaseLogger } from 'fastify';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { ServiceAccount } from './account.ts';
import { findOrphans, removeOrphans } from './orphans.ts';
import { portOf } from './port-label.ts';
import type { RouterOwners } from './router-owners.ts';

export interface SweepDeps {
  readonly neutron: NeutronClient;
  readonly forwards: Forwards;
  /** Hears of routers with forwards. */
  readonly owners: Pick<RouterOwners, 'note'>;
  /** Rejects where it cannot be used at present. */
  readonly account: () => Promise<ServiceAccount>;
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
}

export interface Swept {
  /** How many forwards. */
  readonly removed: number;
  /** Routers about which nothing could be said. */
  readonly hidden: readonly RouterId[];
}

/** Removes what has lost its port in ways that did not come past here. Errors: as `findOrphans`. */
export async function sweep(deps: Omit<SweepDeps, 'log'>): Promise<Swept> {
  const { forwards, account } = deps;
  const made = forwards.list().filter((forward) => portOf(forward) !== null);
  if (made.length === 0) return { removed: 0, hidden: [] };
  const { forwards: orphans, hidden } = await findOrphans(deps, await account(), made);
  return { removed: await removeOrphans(forwards, orphans), hidden };
}

/**
 * Sweeps at once, and so many milliseconds after each other: Neutron has no events that one could listen to over HTTP.
 * Gives what ends it, behind a sweep that is under way.
 */
export function startSweeps(deps: SweepDeps, interval: number): () => Promise<void> {
  const { log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let trouble: 'hidden' | 'away' | null = null;

  /** What is wrong is told when it begins, or becomes another. */
  function tell(now: typeof trouble, details: object): void {
    const before = trouble;
    trouble = now;
    if (now === before) return;
    if (now === 'hidden') log.warn(details, 'Neutron hides routers from the account of this service');
    else if (now === 'away') log.warn(details, 'Neutron cannot be asked for ports; forwards stay as they are');
    else log.info('Neutron can be asked for ports again');
  }

  async function once(): Promise<void> {
    try {
      const { removed, hidden } = await sweep(deps);
      if (removed > 0) log.info({ removed }, 'removed forwards whose ports Neutron has no more');
      tell(hidden.length > 0 ? 'hidden' : null, { hidden });
    } catch (error) {
      tell('away', { err: error });
    }
    if (!ended) later();
  }

  function later(): void {
    timer = setTimeout(() => {
      running = once();
    }, interval);
  }

  let running = once();
  return () => {
    ended = true;
    clearTimeout(timer);
    return running;
  };
}
