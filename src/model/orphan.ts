import type { Forward, ForwardSpec } from './forward.ts';
import type { ForwardId } from './ids.ts';

/** A forward that a kernel has and no store knows, as far as the kernel can tell: without name, description, labels and project. */
export interface Orphan {
  readonly id: ForwardId;
  /** Its external address is the one that it has in the kernel. */
  readonly spec: ForwardSpec;
}

/** The orphan as a forward that is older than all others, so that it keeps its ports. */
export function forwardOfOrphan({ id, spec }: Orphan): Forward {
  return Object.freeze({ ...spec, id, revision: 0, createdAt: '', updatedAt: '' });
}
