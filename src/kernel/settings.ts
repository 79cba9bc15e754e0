import { readFileSync } from 'node:fs';

const SETTINGS = '/proc/sys/net';

/**
 * Settings of the network namespace of the calling thread, by their paths below /proc/sys/net (`ipv4/ip_forward`); those
 * that this kernel does not have are left out.
 */
export function readSettings(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const value = readOrNothing(`${SETTINGS}/${path}`);
    if (value !== undefined) found.set(path, value.trim());
  }
  return found;
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
