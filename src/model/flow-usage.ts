/** How full connection tracking is in one place. */
export interface FlowUsage {
  readonly entries: number;
  /** Beyond which new flows are dropped; 0: none, `null`: the kernel does not tell. */
  readonly limit: number | null;
}
