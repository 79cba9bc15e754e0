import type { UpstreamOptions } from './upstream/options.ts';

/** What the configuration says of Neutron's API. */
export interface NeutronOptions {
  /** Whether a single port is shown as a range, too, as Neutron itself does it, and Horizon needs it. Default: yes. */
  readonly singlePortRanges?: boolean;
  /** The Neutron that this stands in front of. Default: there is none. */
  readonly upstream?: UpstreamOptions;
}
