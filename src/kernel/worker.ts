import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { HatobaError, hatobaError } from '../model/errors.ts';
import { HOST_ROUTER } from '../model/router.ts';
import { watchClock } from './clock-steps.ts';
import type { FlowChange } from './conntrack/stale-flows.ts';
import type { AttachOptions, EndedFlows, NamespaceState } from './kernel.ts';
import { EPOLLIN, openPoller, readNow, SystemCallError } from './libc.ts';
import { type AttachedNamespace, attachNamespace } from './namespaces/attached-namespace.ts';
import { watchNamespaces } from './namespaces/namespace-watcher.ts';
import { LostNamespace, openNamespace, openThreadNamespace } from './namespaces/thread-namespace.ts';
import { InterruptedDump } from './netlink/netlink.ts';
import { openNftDriver } from './nft/nft.ts';
import { compileTable, prepareTable } from './nft/nft-compile.ts';
import type { PacketWatch } from './nft/packet-watch.ts';
import type { Surroundings } from './surroundings.ts';
import type { Answer, Failure, FromWorker, Request, ToWorker, WorkerOptions } from './worker-messages.ts';

const OUTBOX = 8;
const NOTHING: Answer = {
  interfaces: [],
  defaultRoutes: [],
  table: null,
  iptables: { tables: [], generation: 0 },
  conntrack: { dccp: true, udplite: true },
  flows: { count: 0, failure: null },
  counters: [],
  flowCounts: [],
  flowUsage: { entries: 0, limit: null },
  othersTables: { nft: [], legacy: { 4: [], 6: [] } },
  settings: new Map(),
  descriptor: -1,
};

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.once('message', (options: WorkerOptions) => work(port, options));
}

/** One thread that waits for the kernel and for requests alike, in epoll, and does one thing at a time. */
function work(port: MessagePort, options: WorkerOptions): void {
  const { directory, natChains, wake } = options;
  let outbox: FromWorker[] = [];
  const thread = openThreadNamespace();
  const { blueprint, driver, hasNftables } = prepareTable(options, thread);
  const poller = openPoller();
  const ready = new Map<number, () => void>();
  const attached = new Map<string, AttachedNamespace>();
  const watches = new Map<number, PacketWatch>();
  let stopping = false;
  const around: Surroundings = {
    thread,
    blueprint,
    hasNftables,
    natChains,
    compile: (source) => compileTable(source, openNftDriver(options.driver), thread),
    emit: (event) => post({ kind: 'event', event }),
    watch(fd, events, onReady) {
      poller.add(fd, events);
      ready.set(fd, onReady);
    },
    unwatch(fd) {
      poller.remove(fd);
      ready.delete(fd);
    },
  };
  const watcher = watchNamespaces(directory, around);
  const clock = watchClock(around);
  around.watch(wake, EPOLLIN, takeRequests);
  post({ kind: 'started', driver, fingerprint: blueprint.fingerprint });
  takeRequests();
  while (!stopping) {
    flush();
    const descriptors = poller.wait(watcher.dueIn());
    for (const fd of descriptors) ready.get(fd)?.();
    if (watcher.dueIn() === 0) watcher.onTime();
  }
  closeAll();
  flush();

  /** Many messages cross the border between threads at the price of one. */
  function post(message: FromWorker): void {
    outbox.push(message);
    if (outbox.length >= OUTBOX) flush();
  }

  function flush(): void {
    if (outbox.length > 0) port.postMessage(outbox);
    outbox = [];
  }

  function takeRequests(): void {
    readNow(wake, Buffer.alloc(8));
    for (let next = receive(port); next !== undefined; next = receive(port)) answer(next);
  }

  function answer({ id, request }: ToWorker): void {
    try {
      post({ kind: 'answer', id, answer: perform(request) });
    } catch (error) {
      if (error instanceof LostNamespace) throw error;
      post({ kind: 'failure', id, error: failureOf(error, request) });
    }
  }

  function perform(request: Request): Answer {
    switch (request.call) {
      case 'watch':
        watcher.scan();
        return NOTHING;
      case 'attach':
        return { ...NOTHING, ...attach(request.namespace, request.options) };
      case 'detach':
        detach(request.namespace);
        return NOTHING;
      case 'change':
        if (request.change !== null) find(request.namespace).change(request.change);
        return { ...NOTHING, flows: endStaleFlows(find(request.namespace), request.flows) };
      case 'readTable':
        return { ...NOTHING, table: find(request.namespace).readTable() };
      case 'readIptables':
        return { ...NOTHING, iptables: find(request.namespace).readIptables() };
      case 'endFlows':
        return { ...NOTHING, flows: endStaleFlows(find(request.namespace), request.flows) };
      case 'readCounters':
        return { ...NOTHING, counters: find(request.namespace).readCounters(request.comment) };
      case 'countFlows':
        return { ...NOTHING, flowCounts: find(request.namespace).countFlows(request.places) };
      case 'flowUsage':
        return { ...NOTHING, flowUsage: find(request.namespace).flowUsage() };
      case 'conntrack':
        return { ...NOTHING, conntrack: find(request.namespace).conntrack() };
      case 'othersTables':
        return { ...NOTHING, othersTables: find(request.namespace).othersTables() };
      case 'watchPackets':
        watchPackets(request);
        return NOTHING;
      case 'unwatchPackets':
        watches.get(request.watch)?.close();
        watches.delete(request.watch);
        return NOTHING;
      case 'settings':
        return { ...NOTHING, settings: find(request.namespace).settings(request.paths) };
      case 'duplicate':
        return { ...NOTHING, descriptor: find(request.namespace).duplicate() };
      case 'ping':
        return NOTHING;
      case 'stop':
        stopping = true;
        return NOTHING;
    }
  }

  function attach(namespace: string, options: AttachOptions): NamespaceState {
    detach(namespace);
    const fd = openNamespace(namespace === HOST_ROUTER ? '/proc/thread-self/ns/net' : join(directory, namespace));
    if (fd === undefined) throw hatobaError('namespace_gone', { namespace });
    const opened = attachNamespace(namespace, fd, options, around);
    attached.set(namespace, opened);
    return opened.first;
  }

  function detach(namespace: string): void {
    attached.get(namespace)?.close();
    attached.delete(namespace);
  }

  function watchPackets({ namespace, watch, table: source }: Request & { call: 'watchPackets' }): void {
    const opened = find(namespace).watchPackets(source, (message) => post({ kind: 'traced', watch, message }));
    watches.set(watch, opened);
  }

  function find(namespace: string): AttachedNamespace {
    const found = attached.get(namespace);
    if (found === undefined) throw hatobaError('namespace_gone', { namespace });
    return found;
  }

  function closeAll(): void {
    for (const namespace of attached.values()) namespace.close();
    watcher.close();
    clock.close();
    poller.close();
    closeSync(thread.home);
  }
}

function endStaleFlows(namespace: AttachedNamespace, flows: FlowChange): EndedFlows {
  try {
    return { count: namespace.endStaleFlows(flows), failure: null };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return { count: 0, failure: error.message };
  }
}

function receive(port: MessagePort): ToWorker | undefined {
  const received: { message: ToWorker } | undefined = receiveMessageOnPort(port);
  return received?.message;
}

function failureOf(error: unknown, request: Request): Failure {
  if (error instanceof HatobaError) return { code: error.code, message: error.message, hint: error.hint };
  if (!isFailedCall(error)) throw error;
  const reason = error.message;
  if (!('namespace' in request)) return failureOf(hatobaError('kernel_unsupported', { reason }), request);
  return failureOf(hatobaError('kernel_refused', { namespace: request.namespace, reason }), request);
}

/** Also one of Node's own, such as for a file of /proc that cannot be opened because too many files are open. */
function isFailedCall(error: unknown): error is Error {
  if (error instanceof SystemCallError || error instanceof InterruptedDump) return true;
  return error instanceof Error && 'errno' in error && 'syscall' in error;
}
