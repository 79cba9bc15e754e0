import type { Dataplane } from '../dataplane/dataplane.ts';
import type { BackendName } from '../dataplane/linux/backend.ts';
import { CHAINS } from '../dataplane/linux/iptables/rules.ts';
import type { LinuxOptions } from '../dataplane/linux/linux-dataplane.ts';
import { NEUTRON_PATTERNS } from '../dataplane/linux/namespaces.ts';
import { layoutOf } from '../dataplane/linux/nftables/layout.ts';
import { printTable } from '../dataplane/linux/nftables/script.ts';
import { createOpenedDataplane } from '../dataplane/linux/opening/opened-dataplane.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { KernelThread } from '../kernel/kernel-thread.ts';
import type { Config } from './config-schema.ts';

/** With the table that the configuration asks for. Error: `kernel_unsupported`. */
export function openKernel(config: Config, thread: KernelThread, onFatal: (error: unknown) => void): Promise<Kernel> {
  const driver = config.nft_driver === 'auto' ? null : config.nft_driver;
  const table = printTable(layoutOf(config));
  const compiled = backendsOf(config).includes('nftables');
  return thread.open({ directory: config.namespace_directory, table, driver, compiled, natChains: CHAINS }, onFatal);
}

/** Of all that are managed; those of patterns that match nothing included. */
function backendsOf({ backend, neutron, routers, host }: Config): readonly BackendName[] {
  const sides = [...routers, ...(neutron ? NEUTRON_PATTERNS : []), ...(host === null ? [] : [host])];
  return sides.map((one) => one.backend ?? backend);
}

/** Over the routers that the configuration names. */
export function createDataplane(config: Config, kernel: Kernel, onWarning: LinuxOptions['onWarning']): Dataplane {
  return createOpenedDataplane({
    kernel,
    accounting: config.accounting,
    backend: config.backend,
    patterns: [...config.routers.map(withPermissions), ...(config.neutron ? NEUTRON_PATTERNS : [])],
    host: config.host && withPermissions(config.host),
    onWarning,
  });
}

/** The keys of the file by the program's names. */
function withPermissions<Sides extends object>({
  open_forward_policy: openForwardPolicy,
  ...sides
}: Sides & { readonly open_forward_policy?: boolean }) {
  return { ...sides, ...(openForwardPolicy === undefined ? {} : { openForwardPolicy }) };
}
