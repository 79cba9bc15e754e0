import type { Kernel, KernelEvent } from '../../kernel/kernel.ts';
import type { TableState } from '../../kernel/nft-table.ts';
import type { Interface } from '../../kernel/rtnetlink.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import { HOST_ROUTER, type ProtocolLimits, routerOfNamespace } from '../../model/router.ts';
import type { Change } from '../../program/diff.ts';
import type { Program } from '../../program/rule.ts';
import type { Correction, Dataplane, DataplaneEvent, Instance } from '../dataplane.ts';
import { gatewaysOf, sameGateways } from './gateways.ts';
import { limitsOf } from './limits.ts';
import { type NamespacePattern, patternOf } from './namespaces.ts';
import { correct } from './nftables/correction.ts';
import { elementOf } from './nftables/elements.ts';

export interface LinuxOptions {
  /** Not watched yet; its table is OUR_TABLE. The data plane stops it. */
  readonly kernel: Kernel;
  readonly patterns: readonly NamespacePattern[];
  /** The root namespace as a router of its own; `null`: it is not touched. */
  readonly host: Omit<NamespacePattern, 'namespace'> | null;
  readonly onWarning: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

interface Attached {
  readonly outside: readonly string[];
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

/** Routers that are network namespaces of this machine, programmed by nftables. */
export function createLinuxDataplane({ kernel, patterns, host, onWarning }: LinuxOptions): Dataplane {
  const attached = new Map<string, Attached>();
  const opening = new Set<Promise<void>>();
  let emit: (event: DataplaneEvent) => void = () => undefined;
  return { start, limits, synchronise, apply, clean, alive: () => kernel.ping(), stop };

  async function start(onEvent: (event: DataplaneEvent) => void): Promise<void> {
    emit = onEvent;
    await kernel.watch(onKernelEvent);
    if (host !== null) open(HOST_ROUTER, host.outside);
    while (opening.size > 0) await Promise.all(opening);
  }

  function onKernelEvent(event: KernelEvent): void {
    switch (event.kind) {
      case 'mounted': {
        const pattern = patternOf(event.namespace, patterns);
        if (pattern !== undefined) open(event.namespace, pattern.outside);
        return;
      }
      case 'unmounted':
        close(event.namespace);
        return;
      case 'interfaces':
        look(event.namespace, event.interfaces);
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

  function open(namespace: string, outside: readonly string[]): void {
    forget(namespace);
    const entry: Attached = { outside, instance: null, installed: false, found: undefined, retry: undefined };
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
    entry.retry = setTimeout(() => open(namespace, entry.outside), RETRY);
  }

  async function attach(namespace: string, entry: Attached): Promise<void> {
    const { interfaces, table } = await kernel.attach(namespace);
    if (attached.get(namespace) !== entry) return;
    entry.found = table;
    const gateways = gatewaysOf(interfaces, entry.outside);
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

  function look(namespace: string, interfaces: readonly Interface[]): void {
    const entry = attached.get(namespace);
    if (entry === undefined || entry.instance === null) return;
    const gateways = gatewaysOf(interfaces, entry.outside);
    if (sameGateways(gateways, entry.instance.gateways)) return;
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

  async function synchronise(id: string, program: Program): Promise<Correction> {
    const entry = known(id);
    const found = entry.found !== undefined ? entry.found : await kernel.readTable(id);
    if (known(id) !== entry) throw hatobaError('namespace_gone', { namespace: id });
    entry.found = undefined;
    const { change, count } = correct(found, [...program.values()].map(elementOf), kernel.fingerprint);
    if (change !== null) await kernel.change(id, change);
    entry.installed = found !== null || change !== null;
    return { corrections: count };
  }

  async function apply(id: string, { remove, add }: Change): Promise<void> {
    const entry = known(id);
    const table = entry.installed ? 'keep' : 'create';
    await kernel.change(id, { table, remove: remove.map(elementOf), add: add.map(elementOf) });
    entry.installed = true;
  }

  async function clean(id: string): Promise<void> {
    const entry = known(id);
    const found = await kernel.readTable(id);
    if (known(id) !== entry) throw hatobaError('namespace_gone', { namespace: id });
    if (found !== null) await kernel.change(id, { table: 'delete', remove: [], add: [] });
    entry.found = undefined;
    entry.installed = false;
  }

  async function stop(): Promise<void> {
    for (const { retry } of attached.values()) clearTimeout(retry);
    await kernel.stop();
  }
}
