import type { KernelEvent } from './kernel.ts';
import type { ThreadNamespace } from './namespaces/thread-namespace.ts';
import type { Blueprint } from './nft/nft-blueprint.ts';
import type { TableSource } from './nft/nft-compile.ts';

/** What the parts of the kernel's thread have in common. */
export interface Surroundings {
  readonly thread: ThreadNamespace;
  readonly blueprint: Blueprint;
  /** Of the kernel; where it has none, there is no table of ours, and nothing is told. */
  readonly hasNftables: boolean;
  readonly natChains: readonly string[];
  readonly watch: (fd: number, events: number, onReady: () => void) => void;
  readonly unwatch: (fd: number) => void;
  /** See `compileTable`. */
  readonly compile: (source: TableSource) => Blueprint;
  readonly emit: (event: KernelEvent) => void;
}
