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
  /** Left out: none. */
  readonly routers?: readonly RouterGrantInput[];
}

export interface RouterGrantInput {
  /** An id or the name of a namespace; `*` stands for any characters. */
  readonly router: string;
  /** Left out: those of the project. */
  readonly external_ports?: string | number;
}

/** What projects may have. It limits callers of one project, and nobody else. */
export interface Grants {
  /** On which outside ports of the router the project's forwards may be; `null`: it may not use the router at all. */
  externalPorts(project: string, router: RouterId): PortRange | null;
  /** How many forwards it may have; `null`: any number. */
  quota(project: string): number | null;
}

/** What is known elsewhere of the routers that projects may use. */
export type MayUse = (project: string, router: RouterId) => boolean;

/**
 * `alsoMayUse`: routers besides those of the entries, on the ports of the project. Errors: `config_malformed` for two
 * entries of one project; `port_…`.
 */
export function parseGrants(entries: readonly GrantInput[], alsoMayUse: MayUse = () => false): Grants {
  const projects = new Map<string, ProjectGrant>();
  for (const entry of entries) {
    if (projects.has(entry.project)) throw repeated(entry.project);
    projects.set(entry.project, parseProject(entry));
  }
  const grantOf = (project: string) => projects.get(project) ?? projects.get(ANY_PROJECT) ?? NOTHING;
  return Object.freeze({
    externalPorts: (project: string, router: RouterId) => {
      const { ports, routers } = grantOf(project);
      const granted = routers.find((one) => one.fits(router));
      if (granted !== undefined) return granted.ports ?? ports;
      return alsoMayUse(project, router) ? ports : null;
    },
    quota: (project: string) => grantOf(project).quota,
  });
}

/** Where external ports are chosen from: of the permitted ones those that are meant for it, if there are any. */
export function poolAmong(permitted: PortRange, autoPorts: PortRange): PortRange {
  const first = Math.max(permitted.first, autoPorts.first);
  const last = Math.min(permitted.last, autoPorts.last);
  return first <= last ? Object.freeze({ first, last }) : permitted;
}

interface ProjectGrant {
  readonly quota: number | null;
  readonly ports: PortRange;
  /** The first that fits counts. */
  readonly routers: readonly {
    fits(router: RouterId): boolean;
    /** `null`: those of the project. */
    readonly ports: PortRange | null;
  }[];
}

const NOTHING: ProjectGrant = Object.freeze({ quota: null, ports: ALL_PORTS, routers: [] });

function parseProject({ quota, external_ports, routers = [] }: GrantInput): ProjectGrant {
  return {
    quota: quota ?? null,
    ports: readPorts(external_ports) ?? ALL_PORTS,
    routers: routers.map((one) => ({
      fits: fitter(one.router),
      ports: readPorts(one.external_ports),
    })),
  };
}

function readPorts(ports: string | number | undefined): PortRange | null {
  return ports === undefined ? null : parsePortRange(String(ports));
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
