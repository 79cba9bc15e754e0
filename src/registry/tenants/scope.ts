import type { Address } from '../../model/address.ts';
import { hatobaError } from '../../model/errors.ts';
import { type Forward, GATEWAY } from '../../model/forward.ts';
import { type ForwardDraft, isAuto } from '../../model/forward-draft.ts';
import { poolAmong } from '../../model/grants.ts';
import type { ForwardId } from '../../model/ids.ts';
import { type PortRange, printPortRange, samePorts } from '../../model/port-range.ts';
import type { RouterId } from '../../model/router.ts';
import type { Commit } from '../../store/store.ts';
import type { ForwardMirror } from '../forwards/forward-mirror.ts';
import type { ForwardView } from '../forwards/forward-view.ts';
import { projectKey } from '../keys.ts';
import type { Tenant } from '../registry.ts';
import { isOf, projectView } from './project-view.ts';

/** What a forward has of a router's outside. */
type Occupied = Pick<Forward, 'router' | 'externalPorts' | 'externalAddress'>;

/** For whom a change is decided: which forwards are there for it, and what it may have. */
export interface Scope {
  readonly view: ForwardView;
  /** The project of what it makes, where the wish names this one. Error: `project_not_allowed`. */
  projectOf(wish: Pick<ForwardDraft, 'projectId'>): string | null;
  /**
   * Refuses what it may not have, unless it has it already (`before`). Errors: `router_not_found`, since such a router
   * is not there for it; `port_not_permitted`, `address_not_permitted`.
   */
  admit(wish: ForwardDraft, before: Occupied | null): void;
  /** Refuses the id of a forward that is not there for it, which nobody else can have. Error: `forward_not_found`. */
  admitId(id: ForwardId): void;
  /** Where external ports on the router are chosen from. */
  autoPorts(router: RouterId): PortRange;
  /** The commit, which adds so many forwards, as it has to be for that. Error: `quota_exceeded`. */
  ration(commit: Commit, added: number): Commit;
  /** How another forward, which is in the way, is called. */
  nameOf(forward: Pick<Forward, 'id' | 'name' | 'projectId'>): string;
}

/** Everything is there, and nothing is limited. */
export function unlimitedScope({ index }: ForwardMirror, autoPorts: PortRange): Scope {
  return {
    view: index,
    projectOf: ({ projectId }) => projectId,
    admit: () => undefined,
    admitId: () => undefined,
    autoPorts: () => autoPorts,
    ration: (commit) => commit,
    nameOf: describe,
  };
}

interface Around {
  readonly autoPorts: PortRange;
  /** Whether some node says that this is the router's own address. */
  readonly isGateway: (router: RouterId, address: Address) => boolean;
}

/** What is of other projects is not there, but for the places it takes. */
export function tenantScope(mirror: ForwardMirror, { project, grants }: Tenant, around: Around): Scope {
  const { autoPorts, isGateway } = around;
  const view = projectView(mirror.index, project);
  const portsOf = (router: RouterId) => (project === null ? null : grants.externalPorts(project, router));

  function admitPorts(wish: ForwardDraft, permitted: PortRange): void {
    const { externalPorts: ports, router } = wish;
    if (isAuto(ports) || (permitted.first <= ports.first && ports.last <= permitted.last)) return;
    const parameters = { value: printPortRange(ports), permitted: printPortRange(permitted), router };
    throw hatobaError('port_not_permitted', parameters, { field: 'external_port' });
  }

  /** Any other address may be that of a machine of somebody else's: its traffic would go where the forward leads. */
  function admitAddress({ externalAddress: address, router }: ForwardDraft): void {
    if (address === GATEWAY || isGateway(router, address)) return;
    if (project !== null && grants.hasExternalAddress(project, router, address)) return;
    throw hatobaError('address_not_permitted', { value: address.text, router }, { field: 'external_address' });
  }

  return {
    view,

    projectOf({ projectId }) {
      if (project !== null && (projectId === null || projectId === project)) return project;
      throw hatobaError('project_not_allowed', { value: projectId ?? 'none' }, { field: 'project_id' });
    },

    admit(wish, before) {
      if (before !== null && staysThere(before, wish)) return;
      const permitted = portsOf(wish.router);
      if (permitted === null) throw hatobaError('router_not_found', { value: wish.router }, { field: 'router' });
      admitPorts(wish, permitted);
      admitAddress(wish);
    },

    admitId(id) {
      if (view.get(id) !== undefined || mirror.index.get(id) === undefined) return;
      throw hatobaError('forward_not_found', { value: id }, { field: 'id' });
    },

    autoPorts: (router) => poolAmong(portsOf(router) ?? autoPorts, autoPorts),

    ration(commit, added) {
      const quota = project === null ? null : grants.quota(project);
      if (project === null || quota === null || added <= 0) return commit;
      const used = mirror.index.projects.countOf(project);
      if (used + added > quota) throw hatobaError('quota_exceeded', { quota, used, wanted: added });
      return guarded(commit, projectKey(project), mirror.projectRevision(project));
    },

    nameOf: (other) => (isOf(project, other) ? describe(other) : 'a forward of another project'),
  };
}

function staysThere(
  before: Occupied,
  { router, externalPorts: ports, externalAddress: address }: ForwardDraft,
): boolean {
  if (before.router !== router || isAuto(ports) || !samePorts(before.externalPorts, ports)) return false;
  if (before.externalAddress === GATEWAY || address === GATEWAY) return before.externalAddress === address;
  return before.externalAddress.text === address.text;
}

function describe({ id, name }: Pick<Forward, 'id' | 'name'>): string {
  return `forward ${name ?? id}`;
}

/** Of two that are decided at once on different nodes and routers, one fails, and is decided again. */
function guarded({ checks = [], puts = [], ...commit }: Commit, key: string, revision: number): Commit {
  return { ...commit, checks: [...checks, { key, revision }], puts: [...puts, { key, value: '{}' }] };
}
