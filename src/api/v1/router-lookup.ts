import { hatobaError, inFieldOf } from '../../model/errors.ts';
import { parseRouterId, type RouterId } from '../../model/router.ts';

/** By id, namespace name, or unique beginning of an id. Errors: `router_malformed`, `router_not_found`, `router_ambiguous`. */
export function findRouter(reference: string, known: readonly RouterId[]): RouterId {
  const exact = parseRouterId(reference);
  if (known.includes(exact)) return exact;
  const [found, ...others] = known.filter((id) => id.startsWith(reference));
  if (found === undefined) throw hatobaError('router_not_found', { value: reference });
  if (others.length > 0) throw hatobaError('router_ambiguous', { value: reference, count: others.length + 1 });
  return found;
}

/** The router that a request names, whether there is one or not. Error: `router_malformed`, in the field `router`. */
export function readRouter(text: string): RouterId {
  return inFieldOf('router', () => parseRouterId(text));
}

/**
 * The router that is meant where one is named, of all that are known, or else there is but one: that some node has, or
 * where none has any, at all. Errors: `router_required`, those of `findRouter`.
 */
export function chooseRouter(
  reference: string | undefined,
  present: readonly RouterId[],
  known: readonly RouterId[] = present,
): RouterId {
  if (reference !== undefined) return findRouter(reference, known);
  const candidates = present.length > 0 ? present : known;
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) throw hatobaError('router_required', { count: candidates.length });
  return only;
}
