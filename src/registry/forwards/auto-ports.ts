import { hatobaError } from '../../model/errors.ts';
import type { ForwardSpec } from '../../model/forward.ts';
import { type ForwardDraft, isAuto } from '../../model/forward-draft.ts';
import { type PortRange, printPortRange } from '../../model/port-range.ts';
import type { Gateways } from '../../model/router.ts';

/** Those who have ports. */
export interface Conflicts {
  conflictsOf(spec: ForwardSpec, gateways: Gateways): readonly ForwardSpec[];
}

/**
 * The draft, and where it leaves its external ports open, the lowest ones of the pool that are free: so what is
 * chosen can be foretold, and ports in use lie close together. A forward that is disabled or has expired keeps its
 * ports; those of one that was removed can be given away at once. Error: `auto_ports_exhausted`.
 */
export function choosePorts(draft: ForwardDraft, pool: PortRange, index: Conflicts, gateways: Gateways): ForwardSpec {
  const { externalPorts: wish } = draft;
  if (!isAuto(wish)) return { ...draft, externalPorts: wish };
  const rivals = index.conflictsOf({ ...draft, externalPorts: pool }, gateways);
  const externalPorts = lowestGap(rivals, wish.auto, pool);
  if (externalPorts === null) throw exhausted(draft, wish.auto, pool);
  return { ...draft, externalPorts };
}

function lowestGap(rivals: readonly ForwardSpec[], count: number, pool: PortRange): PortRange | null {
  const taken = new Uint8Array(pool.last + 1);
  for (const { externalPorts } of rivals) taken.fill(1, externalPorts.first, externalPorts.last + 1);
  let { first } = pool;
  for (let last = first; last <= pool.last; last++) {
    if (taken[last] === 1) first = last + 1;
    else if (last - first + 1 === count) return Object.freeze({ first, last });
  }
  return null;
}

function exhausted({ router, protocol }: ForwardDraft, count: number, pool: PortRange): Error {
  const wanted = count === 1 ? 'port' : `${count} ports in a row`;
  const parameters = { pool: printPortRange(pool), wanted, protocol, router };
  return hatobaError('auto_ports_exhausted', parameters, { field: 'external_port' });
}
