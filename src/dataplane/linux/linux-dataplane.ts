import { release } from 'node:os';
import type { Kernel, KernelEvent, Links } from '../../kernel/kernel.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import type { ForwardId } from '../../model/ids.ts';
import { HOST_ROUTER, type OutsideAddress, type ProtocolLimits, routerOfNamespace } from '../../model/router.ts';
import type { Change } from '../../program/diff.ts';
import type { Program, Rule } from '../../program/rule.ts';
import type { Correction, Dataplane, DataplaneEvent, Farewell, Instance } from '../dataplane.ts';
import { BACKENDS, type Backend, type BackendName, bindKernel, type Found } from './backend.ts';
import { gatewaysOf, outsideAddressesOf, sameGateways } from './gateways.ts';
import { describeInside, type InsideInterface, sameInside } from './inside-interfaces.ts';
import { createIptables } from './iptables/backend.ts';
import { createPrograms } from './iptables/programs.ts';
import { limitsOf } from './limits.ts';
import { type NamespacePattern, patternOf, type RouterSides } from './namespaces.ts';
import { createNftables } from './nftables/backend.ts';
import { createReadings } from './readings.ts';
import { insideInterfaces } from './sides.ts';

export interface LinuxOptions {
  /**
   * Not watched yet; its table is that of `layoutOf` with this `accounting`, compiled unless all is done by iptables, its
   * `natChains` are `CHAINS`. The data plane stops it.
   */
  readonly kernel: Kernel;
  /** Of namespaces whose patterns name none. */
  readonly backend: BackendName;
  /** What is used for iptables; default: what the machine calls so. */
  readonly iptables?: 'iptables-nft' | 'iptables-legacy';
  /** Whether packets and bytes of forwards are counted. */
  readonly accounting: boolean;
  readonly patterns: readonly NamespacePattern[];
  /** The root namespace as a router of its own; `null`: it is not touched. */
  readonly host: RouterSides | null;
  readonly onWarning: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

interface Attached {
  readonly sides: RouterSides;
  /** Which of the backends it is programmed by; what the other has left there is taken away. */
  readonly name: BackendName;
  readonly backends: Readonly<Record<BackendName, Backend>>;
  links: Links;
  inside: readonly InsideInterface[];
  /** `null` until the namespace is open. */
  instance: Instance | null;
  /** What was there when the namespace was opened, until it is used, or somebody may have changed it. */
  found: Found | undefined;
  /** Aborted when it is let go of. */
  readonly gone: AbortController;
  /** Runs until the next try to open it. */
  retry: NodeJS.Timeout | undefined;
}

const RETRY = 1_000;
const PLAIN: Farewell = { draining: new Set(), gone: [] };

/** Routers that are network namespaces of this machine, programmed by nftables or iptables. */
export function createLinuxDataplane(options: LinuxOptions): Dataplane {
  const { kernel, accounting, patterns, host, onWarning } = options;
  const findPrograms = createPrograms(options.iptables);
  const attached = new Map<string, Attached>();
  const opening = new Set<Promise<void>>();
  let stopped = false;
  let emit: (event: DataplaneEvent) => void = () => undefined;
  const readings = createReadings({ kernel, known });
  return {
    ...readings,
    start,
    outsideAddresses,
    limits,
    unknownRules,
    synchronise,
    apply,
    clean,
    alive: () => kernel.ping(),
    stop,
  };

  async function start(onEvent: (event: DataplaneEvent) => void): Promise<void> {
    emit = onEvent;
    await kernel.watch(onKernelEvent);
    if (host !== null) open(HOST_ROUTER, host);
    // Those that come meanwhile are told as they are opened: where namespaces come and go all the time, there is no end of them.
    await Promise.all(opening);
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
      case 'others':
        if (attached.get(event.namespace)?.instance) emit({ kind: 'others', id: event.namespace });
        return;
      case 'clock_set':
        emit({ kind: 'clock_set' });
        return;
      case 'unread':
        onWarning('could not read the directory of network namespaces, trying again', { error: event.reason });
        return;
      case 'ignored':
        if (patternOf(event.namespace, patterns) === undefined) return;
        onWarning(`ignored a file among the network namespaces: ${event.reason}`, { name: event.namespace });
        return;
    }
  }

  function open(namespace: string, sides: RouterSides): void {
    forget(namespace);
    // Also where the configuration has a pattern of its own for them.
    const isNeutrons = routerOfNamespace(namespace) !== namespace;
    const entry: Attached = {
      sides: { floatingIps: isNeutrons, ...sides },
      name: sides.backend ?? options.backend,
      backends: backendsOf(namespace, () => attached.get(namespace) === entry),
      links: { interfaces: [], defaultRoutes: [] },
      inside: [],
      instance: null,
      found: undefined,
      gone: new AbortController(),
      retry: undefined,
    };
    attached.set(namespace, entry);
    const done = attach(namespace, entry)
      .catch((error: unknown) => openLater(namespace, entry, error))
      .finally(() => opening.delete(done));
    opening.add(done);
  }

  /** A namespace that is gone is told of again when it is back; anything else may pass by itself. */
  function openLater(namespace: string, entry: Attached, error: unknown): void {
    if (stopped || attached.get(namespace) !== entry) return;
    if (error instanceof HatobaError && error.code === 'namespace_gone') {
      attached.delete(namespace);
      return;
    }
    onWarning('could not open a network namespace, trying again', { namespace, error });
    entry.retry = setTimeout(() => open(namespace, entry.sides), RETRY);
  }

  async function attach(namespace: string, entry: Attached): Promise<void> {
    const { table, iptables, ...links } = await kernel.attach(namespace, {
      defaultRoutes: entry.sides.outside === undefined,
      natTables: entry.name === 'iptables',
    });
    if (attached.get(namespace) !== entry) return;
    entry.found = { table, iptables };
    entry.links = links;
    const gateways = gatewaysOf(links, entry.sides);
    entry.inside = describeInside(insideInterfaces(links, entry.sides));
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
    entry.gone.abort();
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
    entry.links = links;
    const gateways = gatewaysOf(links, entry.sides);
    const inside = describeInside(insideInterfaces(links, entry.sides));
    if (sameGateways(gateways, entry.instance.gateways) && sameInside(inside, entry.inside)) return;
    entry.inside = inside;
    entry.instance = { ...entry.instance, gateways };
    emit({ kind: 'changed', instance: entry.instance });
  }

  function disturb(namespace: string): void {
    const entry = attached.get(namespace);
    if (entry === undefined || entry.instance === null) return;
    entry.found = undefined;
    if (!entry.backends[entry.name].disturbed()) return;
    emit({ kind: 'disturbed', id: namespace });
  }

  function outsideAddresses(id: string): readonly OutsideAddress[] {
    const { links, sides } = known(id);
    return outsideAddressesOf(links, sides);
  }

  async function limits(id: string): Promise<ProtocolLimits> {
    const { name } = known(id);
    return limitsOf(await kernel.conntrack(id), name);
  }

  async function unknownRules(id: string, isKnown: (forward: ForwardId) => boolean): Promise<readonly Rule[]> {
    const entry = known(id);
    // What is read here is not kept: it may have changed before it is used.
    const found = entry.found ?? (await lookInto(id, entry));
    const rules = new Map<ForwardId, Rule>();
    for (const name of BACKENDS) {
      const stored = await entry.backends[name].storedRules(
        found,
        (forward) => !isKnown(forward) && !rules.has(forward),
      );
      for (const rule of stored) rules.set(rule.forward, rule);
    }
    return [...rules.values()];
  }

  /** What a backend writes is there before what the other has left is taken away, so that no connection notices. */
  async function synchronise(id: string, program: Program, farewell = PLAIN): Promise<Correction> {
    const entry = known(id);
    const found = entry.found ?? (await lookInto(id, entry));
    entry.found = undefined;
    const corrections = await entry.backends[entry.name].synchronise(found, program, entry.inside, farewell);
    const other = otherThan(entry.name);
    const isLeft = other === 'nftables' ? found.table !== null : found.iptables.tables.length > 0;
    if (isLeft) await entry.backends[other].remove(found, program.values(), farewell.draining);
    return { corrections };
  }

  async function apply(id: string, change: Change, draining = PLAIN.draining): Promise<void> {
    const entry = known(id);
    const { backends, name, inside } = entry;
    entry.found = undefined;
    await backends[name].apply(change, inside, draining);
  }

  async function clean(id: string): Promise<void> {
    const entry = known(id);
    const found = await lookInto(id, entry);
    entry.found = undefined;
    for (const name of BACKENDS) await entry.backends[name].remove(found, [], PLAIN.draining);
  }

  async function lookInto(id: string, entry: Attached): Promise<Found> {
    const [table, iptables] = await Promise.all([kernel.readTable(id), kernel.readIptables(id)]);
    if (known(id) !== entry) throw hatobaError('namespace_gone', { namespace: id });
    return { table, iptables };
  }

  function backendsOf(namespace: string, isPresent: () => boolean): Attached['backends'] {
    const around = {
      kernel: bindKernel(kernel, namespace, isPresent),
      onDisturbed: () => disturb(namespace),
      onFlowsLeft: (reason: string) => onWarning('could not end flows that go elsewhere now', { namespace, reason }),
    };
    let iptables: Backend | undefined;
    return {
      nftables: createNftables(around, accounting),
      // Of a thousand routers, mostly none has anything of it.
      get iptables() {
        iptables ??= createIptables(around, findPrograms, release());
        return iptables;
      },
    };
  }

  async function stop(): Promise<void> {
    stopped = true;
    for (const { retry, gone } of attached.values()) {
      clearTimeout(retry);
      gone.abort();
    }
    await kernel.stop();
  }
}

function otherThan(name: BackendName): BackendName {
  return name === 'nftables' ? 'iptables' : 'nftables';
}
