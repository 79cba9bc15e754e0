import { hatobaError } from '../model/errors.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Orphan } from '../model/orphan.ts';
import type { RouterId } from '../model/router.ts';
import type { Orphans } from './orphans.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';

/** What the kernels of this node have and the store does not know; `router`: of this one only. */
export interface OrphanControl {
  list(router: RouterId | null): Promise<readonly Orphan[]>;
  /** Takes them out of the kernel, and gives what they were. Error: `kernel_refused`. */
  discard(router: RouterId | null): Promise<readonly Orphan[]>;
}

export interface OrphanControlParts {
  readonly orphans: Orphans;
  readonly places: Places;
  /** All of the router is to be compared again. */
  readonly onChange: (router: RouterId) => void;
  /** Resolves after a reconcile that may be the place's; `null`: none of it is pending. */
  readonly nextPass: (place: Place) => Promise<void> | null;
  /** Resolves when statuses of all changes so far are written. */
  readonly published: () => Promise<void>;
}

export function createOrphanControl(parts: OrphanControlParts): OrphanControl {
  const { orphans, places, onChange, nextPass, published } = parts;
  return { list, discard };

  async function list(router: RouterId | null): Promise<readonly Orphan[]> {
    return (router === null ? orphans.routers() : [router]).flatMap((one) => orphans.of(one));
  }

  async function discard(router: RouterId | null): Promise<readonly Orphan[]> {
    const discarded = await list(router);
    for (const one of new Set(discarded.map(({ spec }) => spec.router))) {
      const ids = orphans.ids(one);
      orphans.forget(one);
      onChange(one);
      for (const place of places.of(one)) await untilWithout(place, ids);
    }
    await published();
    return discarded;
  }

  async function untilWithout(place: Place, ids: ReadonlySet<ForwardId>): Promise<void> {
    const { id: namespace } = place.instance;
    const has = () => [...ids].some((id) => place.applied.program.has(id));
    for (let pass = nextPass(place); pass !== null && has(); pass = nextPass(place)) await pass;
    if (!has()) return;
    throw hatobaError('kernel_refused', { namespace, reason: place.error ?? 'it is tried again' });
  }
}
