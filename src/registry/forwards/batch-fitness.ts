import { inItem, itemField } from '../../model/batch-item.ts';
import { hatobaError, inField } from '../../model/errors.ts';
import type { ForwardSpec } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import { nameKeyOf } from '../keys.ts';
import type { Scope } from '../tenants/scope.ts';
import type { PlannedChange } from './batch-plan.ts';
import type { ForwardIndex } from './forward-index.ts';
import { conflictError, samePlace } from './forward-place.ts';
import type { StoredForward } from './forward-record.ts';
import { createPortIndex, type PortIndex } from './port-index.ts';

/** What changes are judged by. */
export interface Judgement {
  readonly index: ForwardIndex;
  readonly gatewaysOf: (router: RouterId) => Gateways;
  readonly scope: Scope;
}

/**
 * Refuses changes after which two forwards would have one name, or one packet could be meant for two of them,
 * but for two that were in conflict before and keep their places; and places that are not to be had in the scope.
 * Errors: `name_taken`, `forward_conflict`, those of `Scope.admit`.
 */
export function refuseUnfit(judgement: Judgement, changes: readonly PlannedChange[]): void {
  refuseForbidden(judgement.scope, changes);
  refuseTakenNames(judgement.index, changes);
  refuseConflicts(judgement, changes);
}

function refuseForbidden(scope: Scope, changes: readonly PlannedChange[]): void {
  for (const { item, before, after } of changes) {
    if (item !== null && after !== null) inItem(item, () => scope.admit(after.spec, before));
  }
}

function refuseTakenNames(index: ForwardIndex, changes: readonly PlannedChange[]): void {
  const ends = endsOf(changes);
  const taken = new Set<string>();
  for (const { item, before, after } of changes) {
    const key = after && nameKeyOf(after.spec);
    if (item === null || after === null || key === null) continue;
    const owner = before !== null && key === nameKeyOf(before) ? undefined : index.namesake(after.spec);
    const end = owner && ends.get(owner.id);
    const keeps = owner !== undefined && (end === undefined || (end !== null && nameKeyOf(end.spec) === key));
    if (taken.has(key) || (keeps && owner.id !== after.id)) {
      throw hatobaError('name_taken', { value: after.spec.name ?? '' }, { field: itemField(item, 'name') });
    }
    taken.add(key);
  }
}

interface Placed extends ForwardSpec {
  readonly id: ForwardId;
  readonly item: number | null;
}

/** Every place that is new is compared with all that are there in the end. */
function refuseConflicts({ index, gatewaysOf, scope }: Judgement, changes: readonly PlannedChange[]): void {
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
      const error = conflictError(after.spec, nameOf(other, index, scope), gateways);
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
function nameOf(other: Placed, index: ForwardIndex, scope: Scope): string {
  const isNew = other.item !== null && index.get(other.id) === undefined;
  return isNew && other.name === null ? `forwards.${other.item} of the same request` : scope.nameOf(other);
}
