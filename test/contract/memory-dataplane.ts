import type { Dataplane, DataplaneEvent } from '../../src/dataplane/dataplane.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { type Gateways, routerOfNamespace } from '../../src/model/router.ts';
import type { Change } from '../../src/program/diff.ts';
import { type Program, type Rule, rulesOverlap, sameRule } from '../../src/program/rule.ts';

/** What a kernel would hold of one router: rules by forward. `null`: nothing of ours. */
type Contents = Map<string, Rule> | null;

/** Routers that exist in memory alone, with a data plane for them. */
export interface MemoryWorld {
  /** Another data plane over the same routers, as after a restart. */
  open(): Dataplane;
  add(id: string): void;
  remove(id: string): void;
  setGateways(id: string, gateways: Gateways): void;
  /** Tells that the clock was set. */
  setClock(): void;
  /** What is programmed there; `null`: nothing of ours. */
  contents(id: string): readonly Rule[] | null;
  /** Changes it as a stranger would. */
  tamper(id: string, change: (contents: Contents) => Contents): void;
}

export function createMemoryWorld(): MemoryWorld {
  const routers = new Map<string, { gateways: Gateways; contents: Contents }>();
  const listeners = new Set<(event: DataplaneEvent) => void>();
  const tell = (event: DataplaneEvent) => {
    for (const listener of listeners) listener(event);
  };

  function find(id: string): { gateways: Gateways; contents: Contents } {
    const router = routers.get(id);
    if (router === undefined) throw hatobaError('namespace_gone', { namespace: id });
    return router;
  }

  function instanceOf(id: string) {
    return { id, router: routerOfNamespace(id), gateways: find(id).gateways };
  }

  return {
    open: () => createMemoryDataplane(find, () => [...routers.keys()].map(instanceOf), listeners),
    add(id) {
      routers.set(id, { gateways: {}, contents: null });
      tell({ kind: 'appeared', instance: instanceOf(id) });
    },
    remove(id) {
      if (routers.delete(id)) tell({ kind: 'vanished', id });
    },
    setGateways(id, gateways) {
      find(id).gateways = gateways;
      tell({ kind: 'changed', instance: instanceOf(id) });
    },
    setClock: () => tell({ kind: 'clock_set' }),
    contents: (id) => {
      const { contents } = find(id);
      return contents === null ? null : [...contents.values()];
    },
    tamper(id, change) {
      const router = find(id);
      router.contents = change(router.contents);
      tell({ kind: 'disturbed', id });
    },
  };
}

function createMemoryDataplane(
  find: (id: string) => { contents: Contents },
  instances: () => readonly (DataplaneEvent & { kind: 'appeared' })['instance'][],
  listeners: Set<(event: DataplaneEvent) => void>,
): Dataplane {
  let listener: ((event: DataplaneEvent) => void) | undefined;
  return {
    async start(onEvent) {
      listener = onEvent;
      listeners.add(onEvent);
      for (const instance of instances()) onEvent({ kind: 'appeared', instance });
    },
    outsideAddresses: () => [],
    limits: async () => ({}),
    async unknownRules(id, isKnown) {
      return [...(find(id).contents ?? new Map<string, Rule>()).values()].filter(({ forward }) => !isKnown(forward));
    },
    async synchronise(id, program) {
      const router = find(id);
      const corrections = differences(router.contents, program);
      if (corrections > 0) router.contents = new Map(program);
      return { corrections };
    },
    async apply(id, change) {
      const router = find(id);
      router.contents = changed(id, router.contents, change);
    },
    async counters(id, forward) {
      const ids = [...(find(id).contents ?? new Map()).keys()].filter((each) => forward === null || each === forward);
      return new Map(ids.map((each) => [each, { connections: 0, in: null, out: null }]));
    },
    liveFlows: async () => new Map(),
    flowUsage: async () => ({ entries: 0, limit: null }),
    observe: async () => null,
    async examine(id) {
      find(id);
      return {
        instance: id,
        gateways: {},
        outside: { 4: [], 6: [] },
        forwarding: { 4: null, 6: null },
        flows: { entries: 0, limit: null },
        strictReversePath: [],
        routingRules: { 4: [], 6: [] },
        unread: [],
        rules: new Map(),
      };
    },
    examineNode: async () => ({ missingCapabilities: [] }),
    async clean(id) {
      find(id).contents = null;
    },
    async alive() {},
    async stop() {
      if (listener !== undefined) listeners.delete(listener);
    },
  };
}

function differences(contents: Contents, program: Program): number {
  if (contents === null) return program.size === 0 ? 0 : 1 + program.size;
  const kept = [...program.values()].filter((rule) => {
    const present = contents.get(rule.forward);
    return present !== undefined && sameRule(present, rule);
  });
  return Math.max(contents.size, program.size) - kept.length;
}

/** All of it or nothing, as a transaction. */
function changed(id: string, contents: Contents, { remove, add }: Change): Contents {
  const after = new Map(contents);
  for (const rule of remove) {
    if (!after.delete(rule.forward)) throw hatobaError('kernel_refused', { namespace: id, reason: 'no such rule' });
  }
  for (const rule of add) {
    if ([...after.values()].some((other) => rulesOverlap(other, rule))) {
      throw hatobaError('kernel_refused', { namespace: id, reason: 'such a rule exists' });
    }
    after.set(rule.forward, rule);
  }
  return after;
}
