import type { FastifyBaseLogger } from 'fastify';
import type { ForwardId } from '../../../model/ids.ts';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { tellerOfProgram } from '../../audit.ts';
import type { ServiceAccount } from './account.ts';
import { findOrphans, removeOrphans, type Sightings } from './orphans.ts';
import { portOf } from './port-label.ts';
import type { RouterOwners } from './router-owners.ts';

export interface SweepDeps {
  readonly neutron: NeutronClient;
  readonly forwards: Forwards;
  /** Hears of all routers that this account is shown, whether they have forwards or not. */
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

/**
 * What removes forwards that have lost their ports in ways that did not come past here. Of several servers of Neutron one may
 * be behind the others, so only what two sweeps in succession find lost, unchanged, is removed. Errors: as `findOrphans`.
 */
export function createSweep(deps: SweepDeps): () => Promise<Swept> {
  const { forwards, account } = deps;
  const tell = tellerOfProgram(deps.log, 'sweep');
  let seen: Sightings = { routers: new Set(), ports: new Set() };
  let suspects: ReadonlyMap<ForwardId, number> = new Map();

  return async () => {
    const before = suspects;
    suspects = new Map();
    const made = forwards.list().filter((forward) => portOf(forward) !== null);
    const found = await findOrphans(deps, await account(), made, seen);
    seen = found.seen;
    suspects = new Map(found.forwards.map(({ id, revision }) => [id, revision]));
    const orphans = found.forwards.filter(({ id, revision }) => before.get(id) === revision);
    return { removed: await removeOrphans(forwards, orphans, tell), hidden: found.hidden };
  };
}

/**
 * Sweeps at once, and so many milliseconds after each other: Neutron has no events that one could listen to over HTTP.
 * Gives what ends it, behind a sweep that is under way.
 */
export function startSweeps(deps: SweepDeps, interval: number): () => Promise<void> {
  const { log } = deps;
  const sweep = createSweep(deps);
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let trouble: 'hidden' | 'away' | null = null;

  /** What is wrong is told when it begins, or becomes another. */
  function tell(now: typeof trouble, details: object): void {
    const before = trouble;
    trouble = now;
    if (now === before) return;
    if (now === 'hidden')
      log.warn(details, 'Neutron may hide routers, or their ports, from the account of this service');
    else if (now === 'away') log.warn(details, 'Neutron cannot be asked for ports; forwards stay as they are');
    else log.info('Neutron can be asked for ports again');
  }

  async function once(): Promise<void> {
    try {
      const { removed, hidden } = await sweep();
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
