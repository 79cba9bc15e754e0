import type { ForwardSpecDocument } from '../model/forward.ts';

/**
 * A forward for a file that people read: without what says nothing (null, empty, switched on), which
 * `parseForwardSpec` puts there again.
 */
export function compactForward(document: ForwardSpecDocument): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(document).filter(([key, value]) => !saysNothing(key, value)));
}

function saysNothing(key: string, value: unknown): boolean {
  if (key === 'enabled') return value === true;
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}
