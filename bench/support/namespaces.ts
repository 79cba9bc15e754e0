import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Every namespace of a benchmark begins with this, and is removed again. */
export const PREFIX = 'hatoba-bench-';

export function namespaceNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${PREFIX}${String(at).padStart(4, '0')}`);
}

export function addNamespaces(names: readonly string[]): void {
  ipBatch(names.map((name) => `netns add ${name}`));
}

export function removeNamespaces(): void {
  ipBatch(listNamespaces().map((name) => `netns delete ${name}`));
}

export function removeNamespace(name: string): void {
  ipBatch([`netns delete ${name}`]);
}

function listNamespaces(): readonly string[] {
  try {
    return readdirSync('/run/netns').filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function ipBatch(lines: readonly string[]): void {
  if (lines.length > 0) execFileSync('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
}
