import type { BackendName } from './backend.ts';

/** Why a forward has an error where the backend iptables is asked for it. */
export const UDPLITE_BY_IPTABLES = 'the backend iptables cannot translate the ports of UDP-Lite';

/** What a data plane may be asked for; where a backend does not do it as one would expect, how it does instead. */
export interface Capability {
  readonly name: string;
  readonly by: Readonly<Record<BackendName, 'yes' | { readonly instead: string }>>;
}

const both = { nftables: 'yes', iptables: 'yes' } as const;

/** Also the table in docs/backends.md. */
export const CAPABILITIES = {
  families: { name: 'IPv4 and IPv6, TCP, UDP and SCTP, single ports, sources', by: both },
  ranges: { name: 'ranges of ports: kept, shifted, many to one', by: both },
  udplite: {
    name: 'UDP-Lite',
    by: { ...both, iptables: { instead: `no: ${UDPLITE_BY_IPTABLES}` } },
  },
  dccp: { name: 'DCCP', by: both },
  hairpin: { name: 'clients in the target’s own network, and on the router itself', by: both },
  innerRouter: {
    name: 'clients and targets behind an inner router, reached by one inside interface',
    by: {
      ...both,
      iptables: {
        instead:
          'from Linux 5.5 on, and not on a bridge with `net.bridge.bridge-nf-call-iptables`: there and before, only clients in the target’s own network are masqueraded',
      },
    },
  },
  flows: { name: 'flows that go elsewhere after a change are ended', by: both },
  connections: { name: 'connections are counted, and stay counted when other forwards change', by: both },
  expiry: {
    name: 'a forward ends on time also while no daemon runs',
    by: { ...both, iptables: { instead: 'no: it does as soon as one starts' } },
  },
  accounting: {
    name: 'packets and bytes are counted (`accounting`)',
    by: { ...both, iptables: { instead: 'no: they are given as `null`' } },
  },
  transaction: {
    name: 'a change of many forwards is one transaction',
    by: {
      ...both,
      iptables: {
        instead:
          'one for each address family. Where the second fails, the first stays made; the router’s forwards say so (`error`), and it is tried again until both are made',
      },
    },
  },
  disturbance: {
    name: 'what others change is put right at once',
    by: {
      ...both,
      iptables: {
        instead:
          'with iptables-nft. Nothing tells of what iptables-legacy does: there it is put right with the next change of the router, or start of the daemon',
      },
    },
  },
  precedence: {
    name: 'comes before what other programs translate',
    by: {
      ...both,
      iptables: {
        instead:
          'before other rules of iptables, as soon as one of another program that was put before ours is noticed; behind tables of nftables with an earlier priority',
      },
    },
  },
  lookup: {
    name: 'the cost of a new connection does not depend on the number of forwards',
    by: { ...both, iptables: { instead: 'no: rules are gone through one after the other' } },
  },
  change: {
    name: 'a change costs what changes',
    by: {
      ...both,
      iptables: { instead: 'no: two programs are run, and all forwards of the router are read and written' },
    },
  },
  kernel: {
    name: 'kernel',
    by: {
      nftables: { instead: 'Linux 5.10 or newer' },
      iptables: { instead: 'any that Node runs on (Linux 4.18), with iptables 1.8 or newer' },
    },
  },
} as const satisfies Readonly<Record<string, Capability>>;

/** The table as Markdown. */
export function printCapabilities(): string {
  const all: readonly Capability[] = Object.values(CAPABILITIES);
  const cell = (by: Capability['by'][BackendName]) => (by === 'yes' ? by : by.instead);
  const rows = all.map(({ name, by }) => `| ${name} | ${cell(by.nftables)} | ${cell(by.iptables)} |`);
  return ['| | `nftables` | `iptables` |', '| --- | --- | --- |', ...rows, ''].join('\n');
}
