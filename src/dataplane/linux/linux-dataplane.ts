import type { Kernel, KernelEvent, Links } from '../../kernel/kernel.ts';
import type { SetElement, TableChange } from '../../kernel/nft-batch.ts';
import type { TableState } from '../../kernel/nft-table.ts';
import type { Cidr } from '../../model/cidr.ts';
import type { Counters } from '../../model/counters.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import type { FlowUsage } from '../../model/flow-usage.ts';
import type { ForwardId } from '../../model/ids.ts';
import { HOST_ROUTER, type ProtocolLimits, routerOfNamespace } from '../../model/router.ts';
import type { Change } from '../../program/diff.ts';
import type { Program, Rule } from '../../program/rule.ts';
import type { Correction, Dataplane, DataplaneEvent, Farewell, Instance } from '../dataplane.ts';
import { gatewaysOf, sameGateways } from './gateways.ts';
import { insideNetworks, sameNetworks } from './inside-networks.ts';
import { limitsOf } from './limits.ts';
import { flowPlaceOf } from './live-flows.ts';
import { type NamespacePattern, patternOf, type RouterSides } from './namespaces.ts';
import { correct } from './nftables/correction.ts';
import { sumCounters } from './nftables/counters.ts';
import { elementsOf, hairpinElements } from './nftables/elements.ts';
import { flowRules } from './nftables/flows.ts';
import { insideInterfaces } from './sides.ts';

export interface LinuxOptions {
  /** Not watched yet; its table is that of `layoutOf` with this `accounting`. The data plane stops it. */
  readonly kernel: Kernel;
  /** Whether packets and bytes of forwards are counted. */
  readonly accounting: boolean;
  readonly patterns: readonly NamespacePattern[];
  /** The root namespace as a router of its own; `null`: it is not touched. */
  readonly host: RouterSides | null;
  readonly onWarning: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

interface Attached {
  readonly sides: RouterSides;
  /** The networks between whose machines answers would go past the router. */
  inside: readonly Cidr[];
  /** `null` until the namespace is open. */
  instance: Instance | null;
  /** Whether our table is there, as far as we know. */
  installed: boolean;
  /** The table as it was when the namespace was opened, until it is used, or somebody may have changed it. */
  found: TableState | null | undefined;
  /** Runs until the next try to open it. */
  retry: NodeJS.Timeout | undefined;
}

const RETRY = 1_000;
const PLAIN: Farewell = { draining: new Set(), gone: [] };

/** Routers that are network namespaces of this machine, programmed by nftables. */
export function createLinuxDataplane({ kernel, accounting, patterns, host, onWarning }: LinuxOptions): Dataplane {
  const attached = new Map<string, Attached>();
  const opening = new Set<Promise<void>>();
  let emit: (event: DataplaneEvent) => void = () => undefined;
  return {
    start,
    limits,
    synchronise,
    apply,
    counters,
    liveFlows,
    flowUsage,
    clean,
    alive: () => kernel.ping(),
    stop,
  };

  async function start(onEvent: (event: DataplaneEvent) => void): Promise<void> {
    emit = onEvent;
    await kernel.watch(onKernelEvent);
    if (host !== null) open(HOST_ROUTER, host);
    while (opening.size > 0) await Promise.all(opening);
  }

  function onKernelEvent(event: KernelEvent): void {
    switch (event.kind) {
      case 'mounted': {
        const pattern = patternOf(event.namespace, patterns);
        if (pattern !== undefined) open(event.namespace, pattern);
        return;
      }
      case 'unmounted':
        close(event.namespace);
        return;
      case 'interfaces':
        look(event.namespace, event);
        return;
      case 'disturbed':
        disturb(event.namespace);
        return;
      case 'ignored':
        if (patternOf(event.namespace, patterns) === undefined) return;
        onWarning(`ignored a file among the network namespaces: ${event.reason}`, { name: event.namespace });
        return;
    }
  }

  function open(namespace: string, sides: RouterSides): void {
    forget(namespace);
    const entry: Attached = { sides, inside: [], instance: null, installed: false, found: undefined, retry: undefined };
    attached.set(namespace, entry);
    const done = attach(namespace, entry)
      .catch((error: unknown) => openLater(namespace, entry, error))
      .finally(() => opening.delete(done));
    opening.add(done);
  }

  /** A namespace that is gone is told of again when it is back; anything else may pass by itself. */
  function openLater(namespace: string, entry: Attached, error: unknown): void {
    if (attached.get(namespace) !== entry) return;
    if (error instanceof HatobaError && error.code === 'namespace_gone') {
      attached.delete(namespace);
      return;
    }
    onWarning('could not open a network namespace, trying again', { namespace, error });
    entry.retry = setTimeout(() => open(namespace, entry.sides), RETRY);
  }

  async function attach(namespace: string, entry: Attached): Promise<void> {
    const { table, ...links } = await kernel.attach(namespace, { defaultRoutes: entry.sides.outside === undefined });
    if (attached.get(namespace) !== entry) return;
    entry.found = table;
    const gateways = gatewaysOf(links, entry.sides);
    entry.inside = insideNetworks(insideInterfaces(links, entry.sides));
    entry.instance = { id: namespace, router: routerOfNamespace(namespace), gateways };
    emit({ kind: 'appeared', instance: entry.instance });
  }

  function close(namespace: string): void {
    if (!attached.has(namespace)) return;
    forget(namespace);
    kernel
      .detach(namespace)
      .catch((error: unknown) => onWarning('could not let go of a network namespace', { namespace, error }));
  }

  function forget(namespace: string): void {
    const entry = attached.get(namespace);
    if (entry === undefined) return;
    attached.delete(namespace);
    clearTimeout(entry.retry);
    if (entry.instance !== null) emit({ kind: 'vanished', id: namespace });
  }

  /** The namespace that the agent knows by this name: not one that has just taken its place. */
  function known(id: string): Attached {
    const entry = attached.get(id);
    if (entry === undefined || entry.instance === null) throw hatobaError('namespace_gone', { namespace: id });
    return entry;
  }

  function look(namespace: string, links: Links): void {
    const entry = attached.get(namespace);
    if (entry === undefined || entry.instance === null) return;
    const gateways = gatewaysOf(links, entry.sides);
    const inside = insideNetworks(insideInterfaces(links, entry.sides));
    if (sameGateways(gateways, entry.instance.gateways) && sameNetworks(inside, entry.inside)) return;
    entry.inside = inside;
    entry.instance = { ...entry.instance, gateways };
    emit({ kind: 'changed', instance: entry.instance });
  }

  function disturb(namespace: string): void {
    const entry = attached.get(namespace);
    if (entry === undefined || entry.instance === null) return;
    entry.found = undefined;
    emit({ kind: 'disturbed', id: namespace });
  }

  async function limits(id: string): Promise<ProtocolLimits> {
    known(id);
    return limitsOf(await kernel.conntrack(id));
  }

  async function synchronise(id: string, program: Program, farewell = PLAIN): Promise<Correction> {
    const entry = known(id);
    const found = entry.found !== undefined ? entry.found : await kernel.readTable(id);
    if (known(id) !== entry) throw hatobaError('namespace_gone', { namespace: id });
    entry.found = undefined;
    const { change, count } = correct(found, wanted(entry, program.values()), kernel.fingerprint);
    if (change !== null || farewell.gone.length > 0) await make(id, change, farewell, found);
    entry.installed = found !== null || change !== null;
    return { corrections: count };
  }

  async function apply(id: string, { remove, add }: Change, draining = PLAIN.draining): Promise<void> {
    const entry = known(id);
    const farewell = { ...PLAIN, draining };
    if (entry.installed) await make(id, { table: 'keep', remove: elements(remove), add: elements(add) }, farewell);
    else await make(id, { table: 'create', remove: [], add: wanted(entry, add) }, farewell);
    entry.installed = true;
  }

  async function counters(id: string, forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, Counters>> {
    if (!known(id).installed) return new Map();
    return sumCounters(await kernel.readCounters(id, forward), { accounting });
  }

  async function liveFlows(id: string, program: Program): Promise<ReadonlyMap<ForwardId, number>> {
    known(id);
    const rules = [...program.values()];
    const counts = await kernel.countFlows(id, rules.map(flowPlaceOf));
    return new Map(
      rules.map(({ forward }, index) => [forward, counts[index] ?? 0] as const).filter(([, count]) => count > 0),
    );
  }

  async function flowUsage(id: string): Promise<FlowUsage> {
    known(id);
    return kernel.flowUsage(id);
  }

  async function clean(id: string): Promise<void> {
    const entry = known(id);
    const found = await kernel.readTable(id);
    if (known(id) !== entry) throw hatobaError('namespace_gone', { namespace: id });
    if (found !== null) await make(id, { table: 'delete', remove: [], add: [] }, PLAIN, found);
    entry.found = undefined;
    entry.installed = false;
  }

  /** `null`: the table is as it should be. `found`: as it was before, where all of it is replaced or deleted. */
  async function make(
    id: string,
    change: TableChange | null,
    { draining, gone }: Farewell,
    found: TableState | null = null,
  ): Promise<void> {
    const left = [...takenAway(change, found), ...elements(gone)];
    const removed = left.filter(({ comment }) => !draining.has(comment));
    const flows = { removed: flowRules(removed), added: flowRules(change?.add ?? []) };
    const { failure } = await kernel.change(id, change, flows);
    if (failure !== null) onWarning('could not end flows that go elsewhere now', { namespace: id, reason: failure });
  }

  function elements(rules: Iterable<Rule>): readonly SetElement[] {
    return [...rules].flatMap((rule) => elementsOf(rule, { accounting }));
  }

  /** Everything that the table is to have. */
  function wanted({ inside }: Attached, rules: Iterable<Rule>): readonly SetElement[] {
    return [...hairpinElements(inside), ...elements(rules)];
  }

  async function stop(): Promise<void> {
    for (const { retry } of attached.values()) clearTimeout(retry);
    await kernel.stop();
  }
}

function takenAway(change: TableChange | null, found: TableState | null): readonly SetElement[] {
  if (change === null || change.table === 'keep') return change?.remove ?? [];
  return [...(found?.elements ?? [])].flatMap(([set, elements]) => elements.map((element) => ({ ...element, set })));
}
