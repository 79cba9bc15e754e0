import { hatobaError, inField } from '../../model/errors.ts';
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
  try {
    return parseRouterId(text);
  } catch (error) {
    throw inField('router', error);
  }
}
