import type { ForwardInput } from '../../model/forward.ts';

/** What forwards have beyond Neutron's port forwardings begins so. */
export const EXTRA = 'hatoba:';

/** Those that can be written, and what hatoba's own API calls them. */
export const WRITABLE_EXTRAS = {
  'hatoba:name': 'name',
  'hatoba:sources': 'sources',
  'hatoba:enabled': 'enabled',
  'hatoba:expires_at': 'expires_at',
} as const satisfies Record<string, keyof ForwardInput>;

/** Those that only hatoba can tell. */
export const READABLE_EXTRAS = [
  'hatoba:revision',
  'hatoba:state',
  'hatoba:message',
  'hatoba:warnings',
  'hatoba:counters',
] as const;

export function isExtra(attribute: string): boolean {
  return attribute.startsWith(EXTRA);
}
