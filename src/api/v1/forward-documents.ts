import { type Forward, printForwardSpec } from '../../model/forward.ts';
import { type ForwardStatus, forwardStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ForwardDocument } from './forward-schemas.ts';

/** How the forward stands at this moment. */
export function statusNow(forward: Forward, { statuses }: Registry): ForwardStatus {
  return forwardStatus(forward, statuses.of(forward.router), printTime(Date.now()));
}

export function printForward(forward: Forward, status: ForwardStatus): ForwardDocument {
  return {
    ...printForwardSpec(forward),
    id: forward.id,
    revision: forward.revision,
    created_at: forward.createdAt,
    updated_at: forward.updatedAt,
    status,
  };
}
