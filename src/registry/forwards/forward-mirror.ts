import type { Forward } from '../../model/forward.ts';
import type { RouterId } from '../../model/router.ts';
import type { KeyChange, Mirror } from '../feed.ts';
import {
  DRAINS,
  drainKey,
  FORWARDS,
  forwardKey,
  GUARDS,
  guardKey,
  PROJECTS,
  projectKey,
  REMOVALS,
  splitKey,
  TEARDOWNS,
  teardownKey,
} from '../keys.ts';
import { createListeners } from '../listeners.ts';
import type { ForwardsChange } from '../registry.ts';
import { createDepartures, type Departure, type Departures } from '../tenants/departures.ts';
import { createDrainIndex, type DrainIndex } from './drain-index.ts';
import { readDrain } from './drain-record.ts';
import { createForwardIndex, type ForwardIndex } from './forward-index.ts';
import { createForwardReader } from './forward-record.ts';
import { createRemovalIndex, type RemovalIndex } from './removal-index.ts';
import { readRemoval } from './removal-record.ts';
import { createTeardownIndex, type TeardownIndex } from './teardown-index.ts';

/** All forwards, the guards of their routers and projects, what drains, what was removed, and teardowns, as of one revision. */
export interface ForwardMirror extends Mirror {
  readonly index: ForwardIndex;
  readonly drains: DrainIndex;
  readonly removals: RemovalIndex;
  readonly teardowns: TeardownIndex;
  readonly departures: Departures;
  /** The revision of the router's guard; 0: it has none. */
  guardRevision(router: RouterId): number;
  /** Likewise of the project. */
  projectRevision(project: string): number;
  subscribe(listener: (change: ForwardsChange) => void): () => void;
}

interface Applied {
  readonly touched: ForwardsChange['touched'][number];
  readonly left: Departure | null;
}

export function createForwardMirror(onError: (error: unknown) => void): ForwardMirror {
  const index = createForwardIndex();
  const guards = new Map<RouterId, number>();
  const projects = new Map<string, number>();
  const drains = createDrainIndex();
  const removals = createRemovalIndex();
  const teardowns = createTeardownIndex();
  const departures = createDepartures();
  const read = createForwardReader();
  const listeners = createListeners<ForwardsChange>();

  function applyForward({ key, value, revision }: KeyChange): Applied {
    const { router, rest: id } = splitKey(key);
    if (value === null) return { touched: { router, id }, left: departureOf(index.remove(router, id), null) };
    const [before, after] = [index.get(id), read(key, value, revision)];
    index.put(after);
    return { touched: { router, id }, left: departureOf(before, after) };
  }

  function applyGuard({ key, value, revision }: KeyChange): void {
    const { router } = splitKey(key);
    if (value === null) guards.delete(router);
    else guards.set(router, revision);
  }

  function applyProject({ key, value, revision }: KeyChange): void {
    const project = key.slice(PROJECTS.length);
    if (value === null) projects.delete(project);
    else projects.set(project, revision);
  }

  function applyDrain({ key, value, revision }: KeyChange): void {
    const { router, rest: id } = splitKey(key);
    if (value === null) drains.remove(router, id);
    else drains.put(readDrain(key, value, revision));
  }

  function applyRemoval({ key, value, revision }: KeyChange): void {
    if (value === null) removals.remove(key);
    else removals.put(readRemoval(key, value, revision));
  }

  function applyTeardown({ key, value, revision }: KeyChange): void {
    const { router, rest: id } = splitKey(key);
    if (value === null) teardowns.remove(router, id);
    else teardowns.put(router, id, value, revision);
  }

  return {
    index,
    drains,
    removals,
    teardowns,
    departures,
    guardRevision: (router) => guards.get(router) ?? 0,
    projectRevision: (project) => projects.get(project) ?? 0,
    subscribe: (listener) => listeners.subscribe(listener),

    apply(changes, revision) {
      const applied = changes.filter(({ key }) => key.startsWith(FORWARDS)).map(applyForward);
      const touched = applied.map((one) => one.touched);
      departures.add(
        applied.flatMap(({ left }) => left ?? []),
        revision,
      );
      for (const change of changes) if (change.key.startsWith(GUARDS)) applyGuard(change);
      for (const change of changes) if (change.key.startsWith(PROJECTS)) applyProject(change);
      for (const change of changes) if (change.key.startsWith(DRAINS)) applyDrain(change);
      for (const change of changes) if (change.key.startsWith(REMOVALS)) applyRemoval(change);
      for (const change of changes) if (change.key.startsWith(TEARDOWNS)) applyTeardown(change);
      return () => {
        if (touched.length > 0) listeners.tell({ revision, touched }, onError);
      };
    },

    *known() {
      for (const { router, id, revision } of index.list()) yield [forwardKey(router, id), revision];
      for (const [router, revision] of guards) yield [guardKey(router), revision];
      for (const [project, revision] of projects) yield [projectKey(project), revision];
      for (const { router, id, revision } of drains.all()) yield [drainKey(router, id), revision];
      for (const { key, revision } of removals.all()) yield [key, revision];
      for (const { router, id, revision } of teardowns.all()) yield [teardownKey(router, id), revision];
    },
  };
}

function departureOf(before: Forward | undefined, after: Forward | null): Departure | null {
  if (before === undefined || before.projectId === null) return null;
  if (before.projectId === after?.projectId && before.router === after.router) return null;
  return { project: before.projectId, router: before.router, id: before.id };
}
