import type { ConntrackAbilities } from '../../kernel/conntrack.ts';
import type { ProtocolLimits } from '../../model/router.ts';

/** What this kernel cannot forward in a namespace; docs/packet-path.md has the whole story. */
export function limitsOf({ dccp, udplite }: ConntrackAbilities): ProtocolLimits {
  return Object.freeze({
    ...(!dccp && { dccp: 'connection tracking of this kernel does not know the ports of DCCP' }),
    ...(!udplite && {
      udplite:
        'connection tracking takes every UDP-Lite packet for damaged; set net.netfilter.nf_conntrack_checksum=0 in the namespace, then disable and enable the forward',
    }),
  });
}
