import type { FastifyBaseLogger } from 'fastify';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { ServiceAccount } from './account.ts';
import { findOrphans, removeOrphans } from './orphans.ts';
import { portOf } from './port-label.ts';

export interface SweepDeps {
  readonly neutron: NeutronClient;
  readonly forwards: Forwards;
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
export async function sweep({ neutron, forwards, account }: Omit<SweepDeps, 'log'>): Promise<Swept> {
  const made = forwards.list().filter((forward) => portOf(forward) !== null);
  if (made.length === 0) return { removed: 0, hidden: [] };
  const { forwards: orphans, hidden } = await findOrphans(neutron, await account(), made);
  return { removed: await removeOrphans(forwards, orphans), hidden };
}

/**
 * Sweeps so many milliseconds after each other: Neutron has no events that one could listen to over HTTP. Gives what
 * ends it, behind a sweep that is under way.
 */
export function startSweeps(deps: SweepDeps, interval: number): () => Promise<void> {
  const { log } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let ended = false;
  let trouble: string | null = null;

  /** What is wrong is told when it begins, or becomes another. */
  function tell(now: string | null, details: object): void {
    if (now !== null && now !== trouble) log.warn(details, now);
    if (now === null && trouble !== null) log.info('Neutron can be asked for ports again');
    trouble = now;
  }

  async function once(): Promise<void> {
    try {
      const { removed, hidden } = await sweep(deps);
      if (removed > 0) log.info({ removed }, 'removed forwards whose ports Neutron has no more');
      tell(hidden.length > 0 ? 'Neutron hides routers from the account of this service' : null, { hidden });
    } catch (error) {
      tell('Neutron cannot be asked for ports; forwards stay as they are', { err: error });
    }
    if (!ended) later();
  }

  function later(): void {
    timer = setTimeout(() => {
      running = once();
    }, interval);
  }

  later();
  return () => {
    ended = true;
    clearTimeout(timer);
    return running;
  };
}
