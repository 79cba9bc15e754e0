import { readFileSync } from 'node:fs';

/**
 * How many files this process may have open: the soft limit of RLIMIT_NOFILE, which Node has raised to the hard one at its
 * start (src/node.cc, PlatformInit). Error: of the file system, without /proc.
 */
export function descriptorLimit(limits = readFileSync('/proc/self/limits', 'utf8')): number {
  const limit = /^Max open files +(\S+)/m.exec(limits)?.[1];
  return limit === undefined || limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}
