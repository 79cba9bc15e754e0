import type { Address } from './address.ts';
import { type Cidr, cidrContains, parseCidr } from './cidr.ts';
import { hatobaError } from './errors.ts';
import { isUuid } from './ids.ts';
import { type PortRange, parsePortRange } from './port-range.ts';
import type { RouterId } from './router.ts';
import { fitsWildcard } from './wildcard.ts';

/** The project that stands for every one that has no entry of its own. */
const ANY_PROJECT = '*';

const ALL_PORTS: PortRange = Object.freeze({ first: 1, last: 65_535 });

/** What one project may have, as the configuration says it. */
export interface GrantInput {
  /** `*`: every project that has no entry of its own. */
  readonly project: string;
  /** How many forwards at most; left out: any number. */
  readonly quota?: number;
  /** Left out: all. */
  readonly external_ports?: string | number;
  /** Addresses or networks, besides the router's own address; left out: none. */
  readonly external_addresses?: readonly string[];
  /** Left out: none. */
  readonly routers?: readonly RouterGrantInput[];
}

export interface RouterGrantInput {
  /** An id or the name of a namespace; `*` stands for any characters. */
  readonly router: string;
  /** Left out: those of the project. */
  readonly external_ports?: string | number;
  /** Likewise. */
  readonly external_addresses?: readonly string[];
}

/** What projects may have. It limits callers of one project, and nobody else. */
export interface Grants {
  /** On which outside ports of the router the project's forwards may be; `null`: it may not use the router at all. */
  externalPorts(project: string, router: RouterId): PortRange | null;
  /** Whether they may be on this outside address there, whether or not it is the router's own. */
  hasExternalAddress(project: string, router: RouterId, address: Address): boolean;
  /** How many forwards it may have; `null`: any number. */
  quota(project: string): number | null;
}

/** What is known elsewhere of the routers that projects may use. */
export type MayUse = (project: string, router: RouterId) => boolean;

/**
 * `alsoMayUse`: routers besides those of the entries, on the ports of the project. Errors: `config_malformed` for two
 * entries of one project; `port_…`,
 * `cidr_…`, `address_…`.
 */
export function parseGrants(entries: readonly GrantInput[], alsoMayUse: MayUse = () => false): Grants {
  const projects = new Map<string, ProjectGrant>();
  for (const entry of entries) {
    if (projects.has(entry.project)) throw repeated(entry.project);
    projects.set(entry.project, parseProject(entry));
  }
  const grantOf = (project: string) => projects.get(project) ?? projects.get(ANY_PROJECT) ?? NOTHING;

  /** `null`: it may not use the router at all. */
  function placesOn(project: string, router: RouterId): Places | null {
    const { places, routers } = grantOf(project);
    const granted = routers.find((one) => one.fits(router));
    if (granted !== undefined) return granted.places;
    return alsoMayUse(project, router) ? places : null;
  }

  return Object.freeze({
    externalPorts: (project: string, router: RouterId) => placesOn(project, router)?.ports ?? null,
    hasExternalAddress: (project: string, router: RouterId, address: Address) =>
      placesOn(project, router)?.addresses.some((network) => cidrContains(network, address)) ?? false,
    quota: (project: string) => grantOf(project).quota,
  });
}

/** Where external ports are chosen from: of the permitted ones those that are meant for it, if there are any. */
export function poolAmong(permitted: PortRange, autoPorts: PortRange): PortRange {
  const first = Math.max(permitted.first, autoPorts.first);
  const last = Math.min(permitted.last, autoPorts.last);
  return first <= last ? Object.freeze({ first, last }) : permitted;
}

/** Where forwards may be on a router. */
interface Places {
  readonly ports: PortRange;
  readonly addresses: readonly Cidr[];
}

interface ProjectGrant {
  readonly quota: number | null;
  readonly places: Places;
  /** The first that fits counts. */
  readonly routers: readonly { fits(router: RouterId): boolean; readonly places: Places }[];
}

const ANY_PORT: Places = Object.freeze({ ports: ALL_PORTS, addresses: [] });

const NOTHING: ProjectGrant = Object.freeze({ quota: null, places: ANY_PORT, routers: [] });

function parseProject({ quota, routers = [], ...input }: GrantInput): ProjectGrant {
  const places = parsePlaces(input, ANY_PORT);
  return {
    quota: quota ?? null,
    places,
    routers: routers.map((one) => ({ fits: fitter(one.router), places: parsePlaces(one, places) })),
  };
}

/** `others`: where nothing is said. */
function parsePlaces(
  { external_ports: ports, external_addresses: addresses }: Omit<RouterGrantInput, 'router'>,
  others: Places,
): Places {
  return {
    ports: ports === undefined ? others.ports : parsePortRange(String(ports)),
    addresses: addresses?.map(parseCidr) ?? others.addresses,
  };
}

function fitter(pattern: string): (router: RouterId) => boolean {
  return (router) => namesOf(router).some((name) => fitsWildcard(name, pattern));
}

/** A Neutron router is known by its id, and by the namespaces that it may have. */
function namesOf(router: RouterId): readonly string[] {
  return isUuid(router) ? [router, `qrouter-${router}`, `snat-${router}`] : [router];
}

function repeated(project: string): Error {
  return hatobaError('config_malformed', { file: 'projects', reason: `the project ${project} is there twice` });
}
