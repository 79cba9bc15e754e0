import { existsSync, readFileSync } from 'node:fs';

/** Whether connection tracking, and with it translation, knows the ports of these protocols. */
export interface ConntrackAbilities {
  readonly dccp: boolean;
  readonly udplite: boolean;
}

const SETTINGS = '/proc/sys/net/netfilter';

/**
 * For the network namespace of the calling thread, once connection tracking is in the kernel.
 * DCCP was removed in Linux 6.16 or soon after (net/netfilter/nf_conntrack_proto_dccp.c is there no more), and its
 * settings with it. UDP-Lite packets all count as damaged where checksums are looked at: `udplite_error` in
 * net/netfilter/nf_conntrack_proto_udp.c computes them as for UDP (seen on Linux 6.18).
 */
export function readConntrackAbilities(): ConntrackAbilities {
  if (!existsSync(`${SETTINGS}/nf_conntrack_checksum`)) return { dccp: true, udplite: true };
  return {
    dccp: existsSync(`${SETTINGS}/nf_conntrack_dccp_timeout_request`),
    udplite: readFileSync(`${SETTINGS}/nf_conntrack_checksum`, 'utf8').trim() === '0',
  };
}
