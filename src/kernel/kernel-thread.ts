import { closeSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { HatobaError, hatobaError, reasonOf } from '../model/errors.ts';
import type { FlowChange } from './conntrack/stale-flows.ts';
import type { Kernel, KernelEvent, KernelOptions } from './kernel.ts';
import { openEventCounter } from './libc.ts';
import type { TraceMessage } from './nft/nft-trace.ts';
import { createPrograms } from './program.ts';
import type { Answer, Failure, FromWorker, Request, WorkerOptions } from './worker-messages.ts';

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const NO_FLOWS: FlowChange = { removed: [], added: [] };
const WAKE = Buffer.from(new BigUint64Array([1n]).buffer);

/** The kernel room's thread, which takes as long to begin as a configuration to be read. */
export interface KernelThread {
  /** Once. `onFatal`: it ended by itself, and every call fails from now on. Errors: `kernel_unsupported`. */
  open(options: KernelOptions, onFatal: (error: unknown) => void): Promise<Kernel>;
  /** Ends it where it was not opened. */
  abandon(): Promise<void>;
}

export function startKernelThread(): KernelThread {
  const wake = openEventCounter();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'kernel', trackUnmanagedFds: false });
  let opened = false;
  return {
    open(options, onFatal) {
      opened = true;
      const message: WorkerOptions = { ...options, wake };
      worker.postMessage(message);
      return converse(worker, wake, onFatal);
    },
    async abandon() {
      if (opened) return;
      await worker.terminate();
      closeSync(wake);
    },
  };
}

async function converse(worker: Worker, wake: number, onFatal: (error: unknown) => void): Promise<Kernel> {
  const waiting = new Map<number, Waiting>();
  const watches = new Map<number, (message: TraceMessage) => void>();
  const programs = createPrograms();
  let lastId = 0;
  let ended: Error | undefined;
  let onEvent: (event: KernelEvent) => void = () => {};

  const ask = (request: Request) =>
    new Promise<Answer>((resolve, reject) => {
      if (ended !== undefined) {
        reject(ended);
        return;
      }
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, request });
      writeSync(wake, WAKE);
    });

  // A process that ends waits for its threads, and this one waits for ever unless it is told.
  const tell = () => {
    worker.postMessage({ id: 0, request: { call: 'stop' } });
    writeSync(wake, WAKE);
  };
  process.on('exit', tell);

  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      process.off('exit', tell);
      closeSync(wake);
      ended ??= hatobaError('kernel_stopped', { reason: 'it was stopped' });
      for (const { reject } of waiting.values()) reject(ended);
      waiting.clear();
      resolve();
    });
  });

  const { driver, fingerprint } = await new Promise<Pick<Kernel, 'driver' | 'fingerprint'>>((resolve, reject) => {
    worker.on('error', (error) => {
      ended = endOf(error);
      reject(ended);
      onFatal(ended);
    });
    worker.on('message', (messages: readonly FromWorker[]) => {
      for (const message of messages) {
        if (message.kind === 'started') resolve(message);
        else receive(message);
      }
    });
  });

  function receive(message: Exclude<FromWorker, { kind: 'started' }>): void {
    if (message.kind === 'event') {
      onEvent(message.event);
      return;
    }
    if (message.kind === 'traced') {
      watches.get(message.watch)?.(message.message);
      return;
    }
    const caller = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'answer') caller?.resolve(message.answer);
    else caller?.reject(restored(message.error));
  }

  return {
    driver,
    fingerprint,
    watch: async (listener) => {
      onEvent = listener;
      await ask({ call: 'watch' });
    },
    attach: (namespace, options = {}) => ask({ call: 'attach', namespace, options }),
    detach: async (namespace) => {
      await ask({ call: 'detach', namespace });
    },
    change: async (namespace, change, flows = NO_FLOWS) =>
      (await ask({ call: 'change', namespace, change, flows })).flows,
    readTable: async (namespace) => (await ask({ call: 'readTable', namespace })).table,
    readIptables: async (namespace) => (await ask({ call: 'readIptables', namespace })).iptables,
    endFlows: async (namespace, flows) => (await ask({ call: 'endFlows', namespace, flows })).flows,
    readCounters: async (namespace, comment) => (await ask({ call: 'readCounters', namespace, comment })).counters,
    countFlows: async (namespace, places) => (await ask({ call: 'countFlows', namespace, places })).flowCounts,
    flowUsage: async (namespace) => (await ask({ call: 'flowUsage', namespace })).flowUsage,
    conntrack: async (namespace) => (await ask({ call: 'conntrack', namespace })).conntrack,
    othersTables: async (namespace) => (await ask({ call: 'othersTables', namespace })).othersTables,
    watchPackets: async (namespace, table, onMessage) => {
      const watch = ++lastId;
      watches.set(watch, onMessage);
      const end = async () => {
        watches.delete(watch);
        await ask({ call: 'unwatchPackets', watch });
      };
      try {
        await ask({ call: 'watchPackets', namespace, watch, table });
      } catch (error) {
        watches.delete(watch);
        throw error;
      }
      return { end };
    },
    settings: async (namespace, paths) => (await ask({ call: 'settings', namespace, paths })).settings,
    run: async (namespace, argv, input = '', within) =>
      programs.run((await ask({ call: 'duplicate', namespace })).descriptor, argv, input, within),
    endProgramsWithin: (ms) => programs.endWithin(ms),
    ping: async () => {
      await ask({ call: 'ping' });
    },
    async stop() {
      if (ended === undefined) await ask({ call: 'stop' });
      await exited;
    },
  };
}

/** Why the worker ended. Errors lose their class on the way between threads. */
function endOf(error: unknown): HatobaError {
  if (error instanceof Error && 'code' in error && error.code === 'kernel_unsupported' && 'hint' in error) {
    return restored({ code: error.code, message: error.message, hint: String(error.hint) });
  }
  return hatobaError('kernel_stopped', { reason: reasonOf(error) }, { cause: error });
}

function restored({ code, message, hint }: Failure): HatobaError {
  return new HatobaError(code, message, hint, {});
}
