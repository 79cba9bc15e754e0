import type { Dataplane, DataplaneEvent } from '../../src/dataplane/dataplane.ts';
import type { BackendName } from '../../src/dataplane/linux/backend.ts';
import { CHAINS } from '../../src/dataplane/linux/iptables/rules.ts';
import { createLinuxDataplane } from '../../src/dataplane/linux/linux-dataplane.ts';
import { layoutOf } from '../../src/dataplane/linux/nftables/layout.ts';
import { printTable } from '../../src/dataplane/linux/nftables/script.ts';
import type { Kernel, KernelOptions } from '../../src/kernel/kernel.ts';
import { startKernelThread } from '../../src/kernel/kernel-thread.ts';

export const linuxTable = (accounting: boolean) => printTable(layoutOf({ accounting }));
export const OUR_TABLE = linuxTable(true);
export const NAT_CHAINS = CHAINS;
export const DRIVERS = ['libnftables', 'nft'] as const;

export interface Started extends AsyncDisposable {
  readonly dataplane: Dataplane;
  /** In the order in which they came. */
  readonly events: readonly DataplaneEvent[];
  readonly warnings: readonly string[];
}

/** The kernel room, as the daemon opens it. */
export function openTestKernel(options: Partial<KernelOptions> = {}): Promise<Kernel> {
  return startKernelThread().open(
    { directory: '/run/netns', table: OUR_TABLE, driver: null, compiled: true, natChains: NAT_CHAINS, ...options },
    (error) => {
      throw error;
    },
  );
}

export interface LinuxTestOptions {
  readonly accounting?: boolean;
  readonly backend?: BackendName;
  readonly inside?: readonly string[];
  readonly iptables?: 'iptables-nft' | 'iptables-legacy';
  readonly onWarning?: (message: string) => void;
}

/** The real data plane, for the routers whose namespaces' names begin with `prefix` and `router`. */
export function linuxOver(
  kernel: Kernel,
  prefix: string,
  { accounting = true, backend = 'nftables', inside = ['qr-'], onWarning = () => {}, ...rest }: LinuxTestOptions = {},
): Dataplane {
  const patterns = [{ namespace: `${prefix}router*`, outside: ['qg-'], inside }];
  return createLinuxDataplane({ kernel, accounting, backend, patterns, host: null, onWarning, ...rest });
}

export const IPTABLES = ['iptables-nft', 'iptables-legacy'] as const;
/** Everything that forwards can be programmed by. */
export const PLACES = ['nftables', ...IPTABLES] as const;
export type Place = (typeof PLACES)[number];

/** The real data plane, programming by this, started. */
export function startLinuxAt(prefix: string, place: Place, options: LinuxTestOptions = {}): Promise<Started> {
  if (place === 'nftables') return startLinux(prefix, {}, options);
  return startLinux(prefix, { compiled: false }, { backend: 'iptables', iptables: place, ...options });
}

/** The same, started; disposing stops it. */
export async function startLinux(
  prefix: string,
  options: Partial<KernelOptions> = {},
  linuxOptions: LinuxTestOptions = {},
): Promise<Started> {
  const events: DataplaneEvent[] = [];
  const warnings: string[] = [];
  const kernel = await openTestKernel(options);
  const dataplane = linuxOver(kernel, prefix, { onWarning: (message) => warnings.push(message), ...linuxOptions });
  await dataplane.start((event) => events.push(event));
  return { dataplane, events, warnings, [Symbol.asyncDispose]: () => dataplane.stop() };
}
