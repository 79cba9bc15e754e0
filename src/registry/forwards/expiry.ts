import { hatobaError } from '../../model/errors.ts';
import { type ForwardSpec, isExpired } from '../../model/forward.ts';

/** Refuses an expiry that has passed at `now`, unless the forward had it before. Error: `expiry_past`. */
export function refusePast(spec: ForwardSpec, before: ForwardSpec | null, now: string): void {
  if (!isExpired(spec, now) || spec.expiresAt === before?.expiresAt) return;
  throw hatobaError('expiry_past', { value: spec.expiresAt ?? '', now }, { field: 'expires_at' });
}
