import { type Address, parseAddress } from '../../../model/address.ts';
import { HatobaError } from '../../../model/errors.ts';
import type { RouterId } from '../../../model/router.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { Identities } from './identities.ts';

/** Whoever has an address behind a router. */
export interface Port {
  readonly id: string;
  /** `null`: whichever router the floating IP that it is used with belongs to. */
  readonly router: RouterId | null;
  readonly address: Address;
}

/**
 * Ports are not kept anywhere: their ids follow from router and address. So those are known that forwards lead to, and
 * those that somebody has asked for by address.
 */
export interface Ports {
  /** Of all forwards that there are for the caller, each once. */
  list(registry: Registry): readonly Port[];
  /** By id, or by the address itself. */
  find(registry: Registry, reference: string): Port | null;
  /**
   * Who has this address (IPv4); `null`: it is none. Behind the only router there is; of several it is left open
   * which, since the same address can be behind each of them.
   */
  named(registry: Registry, text: string): Port | null;
  /** Behind each of the routers. */
  everywhere(registry: Registry, address: Address): readonly Port[];
}

/** So many addresses that somebody has asked for are remembered. */
const MOST = 10_000;

export function createPorts(identities: Identities): Ports {
  const asked = new Map<string, Port>();

  function portOf(router: RouterId | null, address: Address): Port {
    return { id: identities.port(router, address), router, address };
  }

  function remember(port: Port): Port {
    asked.delete(port.id);
    asked.set(port.id, port);
    const [oldest] = asked.keys();
    if (asked.size > MOST && oldest !== undefined) asked.delete(oldest);
    return port;
  }

  function list({ forwards }: Registry): readonly Port[] {
    const ports = forwards
      .list()
      .filter(({ internalAddress }) => internalAddress.family === 4)
      .map(({ router, internalAddress }) => portOf(router, internalAddress));
    return [...new Map(ports.map((port) => [port.id, port])).values()];
  }

  function named(registry: Registry, text: string): Port | null {
    const address = readAddress(text);
    if (address === null) return null;
    const [only, ...others] = registry.statuses.routers();
    return remember(portOf(others.length === 0 ? (only ?? null) : null, address));
  }

  return {
    list,
    named,
    find(registry, reference) {
      const port = asked.get(reference) ?? named(registry, reference);
      if (port !== null && (port.router === null || registry.statuses.routers().includes(port.router))) return port;
      return list(registry).find(({ id }) => id === reference) ?? null;
    },
    everywhere: (registry, address) => registry.statuses.routers().map((router) => remember(portOf(router, address))),
  };
}

function readAddress(text: string): Address | null {
  try {
    const address = parseAddress(text);
    return address.family === 4 ? address : null;
  } catch (error) {
    if (error instanceof HatobaError) return null;
    throw error;
  }
}
