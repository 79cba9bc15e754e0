/** Numbers of linux/netfilter/nfnetlink_conntrack.h: message types, and attributes of each kind of message. */

export const CT_MSG = { get: 1, delete: 2, getStatistics: 5 } as const;

/** linux/socket.h. */
export const AF = { 4: 2, 6: 10 } as const;

export const CTA = {
  original: 1,
  reply: 2,
  status: 3,
  protocolInfo: 4,
  id: 12,
  zone: 18,
  filter: 25,
  statusMask: 26,
} as const;
export const TUPLE = { ip: 1, protocol: 2 } as const;
export const IP = { 4: { source: 1, destination: 2 }, 6: { source: 3, destination: 4 } } as const;
export const PROTOCOL = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
export const PROTOCOL_INFO = { tcp: 1 } as const;
export const TCP_INFO = { state: 1 } as const;
export const STATISTICS = { entries: 1, limit: 2 } as const;

export const FILTER = { original: 1 } as const;
/** What of a tuple a dump is to be filtered by. */
export const FILTER_BY = { destination: 1 << 1, protocol: 1 << 3, destinationPort: 1 << 5 } as const;
