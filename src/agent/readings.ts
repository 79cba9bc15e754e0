import type { Dataplane, Instance, WatchPatience } from '../dataplane/dataplane.ts';
import { addCounters, type Counters } from '../model/counters.ts';
import { HatobaError, hatobaError } from '../model/errors.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Observation, WatchedFlow } from '../model/observation.ts';
import type { RouterId } from '../model/router.ts';
import type { InstanceFacts, NodeFacts } from '../program/facts.ts';
import type { Program } from '../program/rule.ts';
import type { Usage } from './usage.ts';

/** What can be read in the routers of this node at any moment; nothing of it is kept up to date. */
export interface Readings {
  /** What has gone through the router's forwards on this node, through this one or (`null`) all; none where it is not here. */
  counters(router: RouterId, forward: ForwardId | null): Promise<readonly ForwardCounters[]>;
  /** How many flows go through them now; those without any are left out. */
  liveFlows(router: RouterId, forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, number>>;
  examineNode(): Promise<NodeFacts>;
  /** What decides whether packets get through the router on this node: see `Dataplane.examine`. `forward`: this one, thoroughly. */
  examineRouter(router: RouterId, forward: ForwardId | null): Promise<readonly InstanceFacts[]>;
  /** How full connection tracking is, in each instance of this node that can be asked. */
  flowUsage(): Promise<readonly InstanceUsage[]>;
  /** Waits for a packet of this flow, wherever the router is on this node; `null`: none came in time. Error: `router_elsewhere`. */
  observe(router: RouterId, flow: WatchedFlow, patience: WatchPatience): Promise<Observation | null>;
}

export interface ForwardCounters extends Counters {
  readonly forward: ForwardId;
  /** See `Usage.note`. */
  readonly lastUsed: number | null;
}

export interface InstanceUsage extends FlowUsage {
  readonly router: RouterId;
  readonly instance: string;
}

interface Readable {
  readonly instance: Instance;
  readonly applied: { readonly program: Program };
}

interface Options {
  readonly node: string;
  readonly places: { of(router: RouterId): readonly Readable[]; all(): readonly Readable[] };
  readonly dataplane: Dataplane;
  readonly usage: Usage;
}

/** What keeps one forward back mostly keeps all of a router back, and each costs the time of everybody else. */
const MOST_EXAMINED = 100;

export function createReadings({ node, places, dataplane, usage }: Options): Readings {
  return { counters, liveFlows, examineNode: () => dataplane.examineNode(), examineRouter, flowUsage, observe };

  async function counters(router: RouterId, forward: ForwardId | null): Promise<readonly ForwardCounters[]> {
    const counted = await Promise.all(
      places.of(router).map(({ instance }) => dataplane.counters(instance.id, forward)),
    );
    const sums = sumById(counted, addCounters);
    const times = usage.note(sums, Date.now());
    return Array.from(sums, ([id, sum]) => ({ forward: id, ...sum, lastUsed: times.get(id) ?? null }));
  }

  async function liveFlows(router: RouterId, forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, number>> {
    const found = await Promise.all(
      places.of(router).map(({ instance, applied: { program } }) => {
        const rule = forward === null ? undefined : program.get(forward);
        return dataplane.liveFlows(instance.id, forward === null ? program : new Map(rule && [[forward, rule]]));
      }),
    );
    return sumById(found, (a, b) => a + b);
  }

  async function examineRouter(router: RouterId, forward: ForwardId | null): Promise<readonly InstanceFacts[]> {
    const examined = await Promise.all(
      places.of(router).map(({ instance, applied }) => {
        const rules = [...applied.program.values()].filter((rule) => forward === null || rule.forward === forward);
        const some = rules.slice(0, MOST_EXAMINED);
        return unlessGone(() => dataplane.examine(instance.id, some, forward !== null));
      }),
    );
    return examined.filter((facts) => facts !== null);
  }

  async function flowUsage(): Promise<readonly InstanceUsage[]> {
    const usages = await Promise.all(places.all().map(({ instance }) => usageOf(instance)));
    return usages.filter((usage) => usage !== null);
  }

  function usageOf({ id, router }: Instance): Promise<InstanceUsage | null> {
    return unlessGone(async () => ({ router, instance: id, ...(await dataplane.flowUsage(id)) }));
  }

  /** The first instance that sees one ends the wait of the others. */
  async function observe(
    router: RouterId,
    flow: WatchedFlow,
    { seconds, signal }: WatchPatience,
  ): Promise<Observation | null> {
    const here = places.of(router);
    if (here.length === 0) throw hatobaError('router_elsewhere', { node, router });
    const over = new AbortController();
    const patience = { seconds, signal: AbortSignal.any([signal, over.signal]) };
    let first: Observation | null = null;
    try {
      await Promise.all(
        here.map(async ({ instance }) => {
          const observation = await dataplane.observe(instance.id, flow, patience);
          first ??= observation;
          if (observation !== null) over.abort();
        }),
      );
    } finally {
      over.abort();
    }
    return first;
  }
}

function sumById<Value>(
  maps: readonly ReadonlyMap<ForwardId, Value>[],
  add: (a: Value, b: Value) => Value,
): ReadonlyMap<ForwardId, Value> {
  const sums = new Map<ForwardId, Value>();
  for (const map of maps) {
    for (const [id, value] of map) {
      const before = sums.get(id);
      sums.set(id, before === undefined ? value : add(before, value));
    }
  }
  return sums;
}

/** `null`: the instance has just gone. */
async function unlessGone<Value>(read: () => Promise<Value>): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'namespace_gone') return null;
    throw error;
  }
}
