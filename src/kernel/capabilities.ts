import { readFileSync } from 'node:fs';

/** linux/capability.h: what entering network namespaces and changing their rules takes. */
const NEEDED = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n } as const;

/** The rights that this process lacks, of those that the kernel room needs. */
export function missingCapabilities(): readonly string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([\da-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return Object.entries(NEEDED).flatMap(([name, bit]) => (((effective >> bit) & 1n) === 0n ? [name] : []));
}
