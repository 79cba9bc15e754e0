import type { Address, Family } from './address.ts';
import { hatobaError } from './errors.ts';
import { isUuid } from './ids.ts';
import type { Protocol } from './protocol.ts';

/** The Neutron router's UUID, else the name of the network namespace, `host` for the root namespace. */
export type RouterId = string;

/** Also the name under which the daemon's own namespace is known, which has none in /run/netns. */
export const HOST_ROUTER = 'host';

/** What names one network namespace safely: no path, no white space, no quotes, no leading dot or hyphen. */
const NAMESPACE = /^[\w][\w.+@:-]{0,254}$/;
const NEUTRON = /^(?:qrouter|snat)-(.+)$/;

/** Whether a file name in /run/netns can be a router's namespace at all. */
export function isNamespaceName(name: string): boolean {
  return NAMESPACE.test(name);
}

/** The router that lives in this namespace (Neutron: `qrouter-<uuid>`, and `snat-<uuid>` when distributed). */
export function routerOfNamespace(namespace: string): RouterId {
  const uuid = NEUTRON.exec(namespace)?.[1];
  return uuid !== undefined && isUuid(uuid) ? uuid : namespace;
}

/** Reads a router id, also given as the name of its namespace. */
export function parseRouterId(text: string): RouterId {
  const lower = text.toLowerCase();
  if (isUuid(lower)) return lower;
  if (!isNamespaceName(text)) throw hatobaError('router_malformed', { value: text });
  return routerOfNamespace(text);
}

/** A router's own outside addresses, at most one of each family. */
export type Gateways = { readonly [family in Family]?: Address };

/** One of a router's own addresses, on an interface that leads outside. */
export interface OutsideAddress {
  readonly interface: string;
  readonly address: Address;
}

/** Protocols that cannot be forwarded in some router, and why, for the user. */
export type ProtocolLimits = { readonly [protocol in Protocol]?: string };
