import { type Address, parseAddress } from '../../../model/address.ts';
import { forgetOldest } from '../../../model/bounded-map.ts';
import type { Caller } from '../../../model/caller.ts';
import { HatobaError } from '../../../model/errors.ts';
import type { RouterId } from '../../../model/router.ts';
import type { Inquiry } from '../topology.ts';
import type { Identities } from './identities.ts';

/** An address behind a router. The same address behind another router is another port. */
export interface Port {
  readonly id: string;
  readonly router: RouterId;
  readonly address: Address;
}

/**
 * Ports are not kept anywhere: their ids follow from router and address. So those are known that forwards lead to, and
 * those that the caller, or another of its project, has asked for by address: a project does not learn what others ask for.
 */
export interface Ports {
  /** Of all forwards that there are for the caller, each once. */
  list(inquiry: Inquiry): readonly Port[];
  /** By id; or by the address itself, where only one router can have it. `null`: it is not known, or ambiguous. */
  find(inquiry: Inquiry, reference: string): Port | null;
  /** The port that has the address (IPv4) behind each of these routers; none where the text is no such address. */
  named(inquiry: Inquiry, text: string, routers: readonly RouterId[]): readonly Port[];
}

/** How many addresses that were asked for are remembered. */
export const MOST_PORTS = 10_000;

export function createPorts(identities: Identities): Ports {
  /** By caller and id. */
  const asked = new Map<string, Port>();

  function portOf(router: RouterId, address: Address): Port {
    return { id: identities.port(router, address), router, address };
  }

  function remember({ caller }: Inquiry, port: Port): Port {
    const key = memoryKey(caller, port.id);
    asked.delete(key);
    asked.set(key, port);
    forgetOldest(asked, MOST_PORTS);
    return port;
  }

  function list({ registry: { forwards } }: Inquiry): readonly Port[] {
    const ports = forwards
      .list()
      .filter(({ internalAddress }) => internalAddress.family === 4)
      .map(({ router, internalAddress }) => portOf(router, internalAddress));
    return [...new Map(ports.map((port) => [port.id, port])).values()];
  }

  function named(inquiry: Inquiry, text: string, routers: readonly RouterId[]): readonly Port[] {
    const address = readAddress(text);
    return address === null ? [] : routers.map((router) => remember(inquiry, portOf(router, address)));
  }

  return {
    list,
    named,
    find(inquiry, reference) {
      const routers = inquiry.registry.statuses.routers();
      const port = asked.get(memoryKey(inquiry.caller, reference));
      if (port !== undefined && routers.includes(port.router)) return port;
      const [only = null] = routers.length === 1 ? named(inquiry, reference, routers) : [];
      return only ?? list(inquiry).find(({ id }) => id === reference) ?? null;
    },
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
