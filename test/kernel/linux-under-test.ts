import type { Dataplane, DataplaneEvent } from '../../src/dataplane/dataplane.ts';
import { createLinuxDataplane } from '../../src/dataplane/linux/linux-dataplane.ts';
import { layoutOf } from '../../src/dataplane/linux/nftables/layout.ts';
import { printTable } from '../../src/dataplane/linux/nftables/script.ts';
import type { Kernel, KernelOptions } from '../../src/kernel/kernel.ts';
import { startKernelThread } from '../../src/kernel/kernel-thread.ts';

export const linuxTable = (accounting: boolean) => printTable(layoutOf({ accounting }));
export const OUR_TABLE = linuxTable(true);
export const DRIVERS = ['libnftables', 'nft'] as const;

export interface Started extends AsyncDisposable {
  readonly dataplane: Dataplane;
  /** In the order in which they came. */
  readonly events: readonly DataplaneEvent[];
  readonly warnings: readonly string[];
}

/** The kernel room, as the daemon opens it. */
export function openTestKernel(options: Partial<KernelOptions> = {}): Promise<Kernel> {
  return startKernelThread().open({ directory: '/run/netns', table: OUR_TABLE, driver: null, ...options }, (error) => {
    throw error;
  });
}

/** The real data plane, for the routers whose namespaces' names begin with `prefix` and `router`. */
export function linuxOver(
  kernel: Kernel,
  prefix: string,
  { accounting = true, onWarning = () => {} }: { accounting?: boolean; onWarning?: (message: string) => void } = {},
): Dataplane {
  const patterns = [{ namespace: `${prefix}router*`, outside: ['qg-'], inside: ['qr-'] }];
  return createLinuxDataplane({ kernel, accounting, patterns, host: null, onWarning });
}

/** The same, started; disposing stops it. */
export async function startLinux(prefix: string, options: Partial<KernelOptions> = {}): Promise<Started> {
  const events: DataplaneEvent[] = [];
  const warnings: string[] = [];
  const kernel = await openTestKernel(options);
  const dataplane = linuxOver(kernel, prefix, { onWarning: (message) => warnings.push(message) });
  await dataplane.start((event) => events.push(event));
  return { dataplane, events, warnings, [Symbol.asyncDispose]: () => dataplane.stop() };
}
