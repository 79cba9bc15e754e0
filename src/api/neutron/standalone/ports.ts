import { type Address, parseAddress } from '../../../model/address.ts';
import { forgetOldest } from '../../../model/bounded-map.ts';
import type { Caller } from '../../../model/caller.ts';
import { HatobaError } from '../../../model/errors.ts';
import type { RouterId } from '../../../model/router.ts';
import type { Inquiry } from '../topology.ts';
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
 * those that the caller has asked for by address, or somebody of the same project: that others have is not theirs to know.
 */
export interface Ports {
  /** Of all forwards that there are for the caller, each once. */
  list(inquiry: Inquiry): readonly Port[];
  /** By id, or by the address itself. */
  find(inquiry: Inquiry, reference: string): Port | null;
  /**
   * Who has this address (IPv4); `null`: it is none. Behind the only router there is; of several it is left open
   * which, since the same address can be behind each of them.
   */
  named(inquiry: Inquiry, text: string): Port | null;
  /** Who has this address behind that router. */
  behind(inquiry: Inquiry, router: RouterId, address: Address): Port;
}

/** So many addresses that somebody has asked for are remembered. */
const MOST = 10_000;

export function createPorts(identities: Identities): Ports {
  /** By who asked, and the id. */
  const asked = new Map<string, Port>();

  function portOf(router: RouterId | null, address: Address): Port {
    return { id: identities.port(router, address), router, address };
  }

  function remember({ caller }: Inquiry, port: Port): Port {
    const key = memoryKey(caller, port.id);
    asked.delete(key);
    asked.set(key, port);
    forgetOldest(asked, MOST);
    return port;
  }

  function list({ registry: { forwards } }: Inquiry): readonly Port[] {
    const ports = forwards
      .list()
      .filter(({ internalAddress }) => internalAddress.family === 4)
      .map(({ router, internalAddress }) => portOf(router, internalAddress));
    return [...new Map(ports.map((port) => [port.id, port])).values()];
  }

  function named(inquiry: Inquiry, text: string): Port | null {
    const address = readAddress(text);
    if (address === null) return null;
    const [only, ...others] = inquiry.registry.statuses.routers();
    return remember(inquiry, portOf(others.length === 0 ? (only ?? null) : null, address));
  }

  return {
    list,
    named,
    find(inquiry, reference) {
      const { caller, registry } = inquiry;
      const port = asked.get(memoryKey(caller, reference)) ?? named(inquiry, reference);
      if (port !== null && (port.router === null || registry.statuses.routers().includes(port.router))) return port;
      return list(inquiry).find(({ id }) => id === reference) ?? null;
    },
    behind: (inquiry, router, address) => remember(inquiry, portOf(router, address)),
  };
}

function memoryKey({ allProjects, project }: Caller, id: string): string {
  return JSON.stringify([allProjects, allProjects ? null : project, id]);
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
