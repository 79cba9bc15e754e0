import { type KernelThread, startKernelThread } from '../kernel/kernel-thread.ts';
import type { DaemonOptions } from './compose.ts';
import type { Flags } from './config.ts';

/**
 * Runs until SIGTERM or SIGINT. Logs go to standard output, one JSON object a line.
 * Errors: `config_malformed`, `daemon_running`, `socket_unusable`, `store_…`, `kernel_…`.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  await besideKernelThread(async (thread) => {
    const daemon = await import('./compose.ts');
    await daemon.runDaemon(options, thread);
  });
}

/**
 * Removes the forwards of all routers of this machine from the kernel; the store keeps them.
 * Error: `daemon_running`, since a daemon would put them back.
 */
export async function cleanUp(options: Flags): Promise<{ readonly instances: readonly string[] }> {
  return besideKernelThread(async (thread) => {
    const daemon = await import('./compose.ts');
    return daemon.cleanUp(options, thread);
  });
}

/** Where a daemon with these options listens. Error: `config_malformed`. */
export async function socketOf(options: Flags): Promise<string> {
  const { loadConfig } = await import('./config.ts');
  return loadConfig(options, process.env).socket;
}

/** The thread begins before anything else is loaded: routers are waiting for it. */
async function besideKernelThread<Result>(work: (thread: KernelThread) => Promise<Result>): Promise<Result> {
  const thread = startKernelThread();
  try {
    return await work(thread);
  } finally {
    await thread.abandon();
  }
}
