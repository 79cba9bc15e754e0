import type { SerialQueue } from '../../registry/serial-queue.ts';
import type { RouteDeps } from '../deps.ts';
import type { Topology } from './topology.ts';

/** What the parts of Neutron's API may use. */
export interface NeutronDeps extends RouteDeps {
  readonly topology: Topology;
  /** Whether a single port is shown as a range, too. */
  readonly singlePortRanges: boolean;
  /**
   * Changes by Neutron's API wait for each other, since its rule that a port inside is published once is none of the
   * registry's own.
   */
  readonly queue: SerialQueue;
}
