import type { ConntrackAbilities } from '../../kernel/conntrack/abilities.ts';
import type { ProtocolLimits } from '../../model/router.ts';
import type { BackendName } from './backend.ts';
import { UDPLITE_BY_IPTABLES } from './capabilities.ts';

/** What this kernel, or the backend, cannot forward in a namespace; docs/packet-path.md has the whole story. */
export function limitsOf({ dccp, udplite }: ConntrackAbilities, backend: BackendName): ProtocolLimits {
  return Object.freeze({
    ...(!dccp && { dccp: 'connection tracking of this kernel does not know the ports of DCCP' }),
    ...(!udplite && {
      udplite:
        'connection tracking takes every UDP-Lite packet for damaged; set net.netfilter.nf_conntrack_checksum=0 in the namespace, then disable and enable the forward',
    }),
    ...(backend === 'iptables' && { udplite: UDPLITE_BY_IPTABLES }),
  });
}
