import { hatobaError, inField } from '../model/errors.ts';
import type { ForwardSpec } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import { itemField } from './batch-matching.ts';
import type { PlannedChange } from './batch-plan.ts';
import type { ForwardIndex } from './forward-index.ts';
import { conflictError, samePlace } from './forward-place.ts';
import type { StoredForward } from './forward-record.ts';
import { createPortIndex, type PortIndex } from './port-index.ts';

/**
 * Refuses changes after which two forwards would have one name, or one packet could be meant for two of them,
 * but for two that were in conflict before and keep their places. Errors: `name_taken`, `forward_conflict`.
 */
export function refuseUnfit(
  index: ForwardIndex,
  changes: readonly PlannedChange[],
  gatewaysOf: (router: RouterId) => Gateways,
): void {
  refuseTakenNames(index, changes);
  refuseConflicts(index, changes, gatewaysOf);
}

function refuseTakenNames(index: ForwardIndex, changes: readonly PlannedChange[]): void {
  const ends = endsOf(changes);
  const owners = new Map<string, ForwardId>();
  for (const { item, before, after } of changes) {
    const name = after?.spec.name ?? null;
    if (item === null || after === null || name === null) continue;
    const owner = name === before?.name ? undefined : index.named(name);
    const keeps = owner !== undefined && (ends.has(owner.id) ? ends.get(owner.id)?.spec.name === name : true);
    if (owners.has(name) || (keeps && owner.id !== after.id)) {
      throw hatobaError('name_taken', { value: name }, { field: itemField(item, 'name') });
    }
    owners.set(name, after.id);
  }
}

interface Placed extends ForwardSpec {
  readonly id: ForwardId;
  readonly item: number | null;
}

/** Every place that is new is compared with all that are there in the end. */
function refuseConflicts(
  index: ForwardIndex,
  changes: readonly PlannedChange[],
  gatewaysOf: (router: RouterId) => Gateways,
): void {
  const ends = endsOf(changes);
  const routers = new Map<RouterId, PortIndex<Placed>>();
  for (const { item, before, after } of changes) {
    if (item === null || after === null || (before !== null && samePlace(before, after.spec))) continue;
    const { router } = after.spec;
    const ports = routers.get(router) ?? portsThatStay(index, router, ends);
    routers.set(router, ports);
    const gateways = gatewaysOf(router);
    const other = ports.conflictOf(after.spec, gateways, null);
    if (other !== undefined) {
      const error = conflictError(after.spec, { spec: other, name: nameOf(other, index) }, gateways);
      throw inField(itemField(item, 'external_port'), error);
    }
    ports.add({ ...after.spec, id: after.id, item });
  }
}

/** The places in a router that are as they were. */
function portsThatStay(
  index: ForwardIndex,
  router: RouterId,
  ends: ReadonlyMap<ForwardId, StoredForward | null>,
): PortIndex<Placed> {
  const ports = createPortIndex<Placed>();
  for (const forward of index.ofRouter(router).values()) {
    const end = ends.get(forward.id);
    if (end === undefined || (end !== null && samePlace(forward, end.spec))) ports.add({ ...forward, item: null });
  }
  return ports;
}

function endsOf(changes: readonly PlannedChange[]): ReadonlyMap<ForwardId, StoredForward | null> {
  return new Map(changes.map(({ before, after }) => [after?.id ?? before?.id ?? '', after]));
}

/** Nobody knows the id that a new forward would have had. */
function nameOf({ id, name, item }: Placed, index: ForwardIndex): string {
  if (name !== null) return name;
  return item === null || index.get(id) !== undefined ? id : `forwards.${item} of the same request`;
}
