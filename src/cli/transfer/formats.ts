/** What `hatoba export` prints; apart, so that the help needs nothing else. */
export const EXPORT_FORMATS = ['yaml', 'json', 'iptables', 'ip6tables'] as const;
