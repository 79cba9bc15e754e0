import { cleanAll } from '../dataplane/clean-all.ts';
import type { Dataplane, DataplaneEvent, Instance } from '../dataplane/dataplane.ts';
import type { Neighbours } from '../dataplane/neighbours.ts';
import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import type { Registry } from '../registry/registry.ts';
import { type Adoption, createAdoption } from './adoption.ts';
import type { AgentLog } from './agent-log.ts';
import { createDesired } from './desired.ts';
import { isInTime } from './in-time.ts';
import { createInitialSync } from './initial-sync.ts';
import { createOrphanControl, type OrphanControl } from './orphan-control.ts';
import { createOrphans } from './orphans.ts';
import { type Corrected, createPlace, type Place } from './place.ts';
import { createPlaces } from './places.ts';
import { createPublisher } from './publisher.ts';
import { createReadings, type Readings } from './readings.ts';
import { routerStatus, storedBaseline } from './router-status.ts';
import { createShadows } from './shadows.ts';
import { createUsage } from './usage.ts';
import { FORGETFUL, type UsageMemory } from './usage-memory.ts';

/** Keeps the routers of this node as the store wants them. */
export interface Agent extends Readings {
  /** Resolves when every router that is there now has been compared with the store and corrected, or has failed. */
  start(): Promise<void>;
  readonly adoption: Adoption;
  readonly orphans: OrphanControl;
  /** Resolves when the router's status tells what others' rules on this node are to its forwards by now; false: in time, it does not. */
  lookAround(router: RouterId): Promise<boolean>;
  /** Removes everything of ours from every router of this node. */
  cleanUp(): Promise<void>;
  /** Leaves the routers as they are. */
  stop(): Promise<void>;
}

export interface AgentOptions {
  readonly node: string;
  readonly registry: Registry;
  readonly dataplane: Dataplane;
  /** What others have in its instances. */
  readonly neighbours: Neighbours;
  /** Where it is kept when forwards were last used. Default: nowhere. */
  readonly usageMemory?: UsageMemory;
  readonly log: AgentLog;
  readonly observer?: AgentObserver;
}

/** Hears what is worth counting. */
export interface AgentObserver {
  /** A place has been worked on, with success or not. */
  passed(seconds: number): void;
  failed(): void;
  /** Somebody else had changed so much of what we had written. */
  repaired(corrections: number): void;
}

/** One pass of a place. */
interface Turn {
  readonly place: Place;
  readonly ended: Promise<void>;
}

/** So many places are worked on at a time: enough to keep the kernel's thread busy, few enough to let newcomers in. */
const AT_ONCE = 64;

export function createAgent(options: AgentOptions): Agent {
  const { node, registry, dataplane, neighbours, usageMemory = FORGETFUL, log, observer } = options;
  const { forwards, statuses } = registry;
  const places = createPlaces();
  const usage = createUsage({
    memory: usageMemory,
    present: (id) => forwards.get(id) !== undefined,
    onError: (error) => log.warn({ err: error }, 'could not read or write when forwards were last used'),
  });
  const queue = new Set<Place>();
  const running = new Set<Turn>();
  const initialSync = createInitialSync();
  let stopped = false;
  let unsubscribe = () => {};
  const publisher = createPublisher({
    statuses,
    node,
    statusOf,
    busy: () => queue.size + running.size > 1,
    onError: (error) => log.error({ err: error }, 'could not write the status of routers'),
  });
  const shadows = createShadows({ neighbours, onChange: ({ instance }) => publisher.touch(instance.router), log });
  const adoption = createAdoption({ neighbours, places, forwards, gatewaysOf, dataplane });
  const found = createOrphans({ dataplane, forwards, gatewaysOf });
  const desired = createDesired({ forwards, orphans: found, gatewaysOf });
  const orphans = createOrphanControl({
    orphans: found,
    places,
    onChange: lookAgain,
    nextPass: (place) =>
      isPending(place) && running.size > 0 ? Promise.race(Array.from(running, ({ ended }) => ended)) : null,
    published: () => publisher.flush(),
  });
  return { ...createReadings({ node, places, dataplane, usage }), adoption, orphans, lookAround, start, cleanUp, stop };

  async function start(): Promise<void> {
    const started = performance.now();
    unsubscribe = forwards.subscribe(({ touched }) => {
      for (const { id } of touched) noteUsage(id, forwards.get(id));
      for (const [router, ids] of byRouter(touched)) {
        found.review(router);
        for (const place of places.of(router)) place.mark(ids);
      }
    });
    await dataplane.start(onEvent);
    for (const { router } of statuses.ofNode(node)) publisher.touch(router);
    await initialSync.until({ queued: queue, underWay: Array.from(running, ({ place }) => place) });
    const milliseconds = Math.round(performance.now() - started);
    log.info({ instances: places.all().length, milliseconds }, 'every router that is there is as wanted');
    await Promise.all([publisher.flush(), usage.recall()]);
    shadows.begin();
  }

  /** What has never been changed is new: others are touched by a change. */
  function noteUsage(id: ForwardId, forward: Forward | undefined): void {
    if (forward === undefined) usage.forget(id);
    else if (forward.createdAt === forward.updatedAt) usage.begin(id);
  }

  function onEvent(event: DataplaneEvent): void {
    switch (event.kind) {
      case 'appeared': {
        const { instance } = event;
        remove(instance.id);
        const baseline = storedBaseline(statuses.of(instance.router), node, instance.id);
        places.add(
          createPlace(instance, { dataplane, desired, prepare, baseline, onDue, onStatus, onCorrected, onFailed }),
        );
        log.debug({ router: instance.router, instance: instance.id }, 'router appeared');
        lookAgain(instance.router);
        return;
      }
      case 'changed':
        places.get(event.instance.id)?.update(event.instance);
        lookAgain(event.instance.router);
        return;
      case 'vanished':
        vanish(event.id);
        return;
      case 'disturbed':
        places.get(event.id)?.disturb(performance.now());
        return;
      case 'clock_set':
        for (const place of places.all()) place.lookAtClock();
        return;
      case 'others': {
        const place = places.get(event.id);
        if (place !== undefined) shadows.changed(place);
        return;
      }
    }
  }

  function vanish(id: string): void {
    const place = remove(id);
    if (place === undefined) return;
    const { router } = place.instance;
    log.debug({ router, instance: id }, 'router vanished');
    lookAgain(router);
  }

  function remove(id: string): Place | undefined {
    const place = places.remove(id);
    place?.stop();
    if (place === undefined) return undefined;
    queue.delete(place);
    initialSync.forget(place);
    shadows.forget(place);
    return place;
  }

  /** The router's gateways are those of all its instances, so each of them is concerned. */
  function lookAgain(router: RouterId): void {
    for (const place of places.of(router)) place.mark('all');
    publisher.touch(router);
  }

  async function prepare(instance: Instance): Promise<void> {
    const [{ id, router }, forwards] = [instance, await found.find(instance)];
    if (forwards === 0) return;
    log.warn({ router, instance: id, forwards }, 'kept forwards in the kernel that the store does not know');
    lookAgain(router);
  }

  function gatewaysOf(router: RouterId): Gateways {
    return Object.assign({}, ...places.of(router).map(({ instance }) => instance.gateways));
  }

  function onDue(place: Place): void {
    queue.add(place);
    takeTurns();
  }

  function takeTurns(): void {
    for (const place of queue) {
      if (running.size >= AT_ONCE || stopped) return;
      queue.delete(place);
      const started = performance.now();
      const ended = place.pass().finally(() => {
        observer?.passed((performance.now() - started) / 1000);
        running.delete(turn);
        initialSync.passed(place, isPending(place));
        takeTurns();
      });
      const turn: Turn = { place, ended };
      running.add(turn);
    }
  }

  function isPending(place: Place): boolean {
    return queue.has(place) || [...running].some((turn) => turn.place === place);
  }

  /** Those under way; no others begin once the agent is stopped. */
  async function lastTurns(): Promise<void> {
    await Promise.all(Array.from(running, ({ ended }) => ended));
  }

  function onStatus(place: Place): void {
    if (places.get(place.instance.id) !== place) return;
    publisher.touch(place.instance.router);
    shadows.passed(place);
  }

  /** What is found at first is history; what happens to a table that we have written is news. */
  function onCorrected({ instance, revision }: Place, { corrections, milliseconds, isForeign }: Corrected): void {
    const details = { instance: instance.id, corrections, milliseconds };
    if (revision === 0 || !isForeign) {
      log.debug(details, 'brought the kernel to what is wanted');
      return;
    }
    log.info(details, 'put right what somebody had changed in the kernel');
    observer?.repaired(corrections);
  }

  function onFailed(place: Place, error: unknown): void {
    observer?.failed();
    log.error({ instance: place.instance.id, err: error }, 'could not apply the forwards');
  }

  function statusOf(router: RouterId): RouterStatus | undefined {
    const gateways = gatewaysOf(router);
    const orphaned = found.of(router).length;
    return routerStatus({ router, node, gateways, orphaned }, places.of(router), (place) => shadows.warnings(place));
  }

  function lookAround(router: RouterId): Promise<boolean> {
    return isInTime(shadows.look(places.of(router)).then(() => publisher.flush()));
  }

  async function cleanUp(): Promise<void> {
    stopped = true;
    initialSync.stop();
    await lastTurns();
    await cleanAll(
      dataplane,
      places.all().map(({ instance }) => instance.id),
    );
  }

  async function stop(): Promise<void> {
    stopped = true;
    unsubscribe();
    for (const place of places.all()) place.stop();
    initialSync.stop();
    await lastTurns();
    await shadows.stop();
    await Promise.all([publisher.stop(), usage.stop()]);
    await dataplane.stop();
  }
}

function byRouter(touched: readonly { router: RouterId; id: string }[]): ReadonlyMap<RouterId, ReadonlySet<string>> {
  const ids = new Map<RouterId, Set<string>>();
  for (const { router, id } of touched) ids.set(router, (ids.get(router) ?? new Set()).add(id));
  return ids;
}
