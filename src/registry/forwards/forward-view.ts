import { hatobaError } from '../../model/errors.ts';
import type { Forward } from '../../model/forward.ts';
import { type ForwardId, isUuidPrefix } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';

/** Forwards as somebody sees them: all, or those of one project. */
export interface ForwardView {
  get(id: ForwardId): Forward | undefined;
  /** By id, name or unique beginning of an id, in this order. Errors: `forward_not_found`, `reference_ambiguous`. */
  find(reference: string): Forward;
  /** All, oldest first. */
  list(): readonly Forward[];
  ofRouter(router: RouterId): ReadonlyMap<ForwardId, Forward>;
}

interface Findable {
  readonly get: (id: ForwardId) => Forward | undefined;
  readonly named: (name: string) => readonly Forward[];
  readonly all: () => Iterable<Forward>;
}

/** See `ForwardView.find`. */
export function findForward(reference: string, { get, named, all }: Findable): Forward {
  const exact = get(reference.toLowerCase());
  if (exact !== undefined) return exact;
  const namesakes = named(reference);
  const candidates = namesakes.length > 0 ? namesakes : beginningWith(all, reference.toLowerCase());
  const [found] = candidates;
  if (found === undefined) throw hatobaError('forward_not_found', { value: reference });
  if (candidates.length === 1) return found;
  throw hatobaError('reference_ambiguous', { value: reference, count: candidates.length });
}

function beginningWith(all: () => Iterable<Forward>, prefix: string): readonly Forward[] {
  if (!isUuidPrefix(prefix)) return [];
  const found: Forward[] = [];
  for (const forward of all()) if (forward.id.startsWith(prefix)) found.push(forward);
  return found;
}
