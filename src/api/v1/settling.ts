import { hatobaError } from '../../model/errors.ts';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { ForwardStatus } from '../../model/status.ts';
import type { BatchOutcome, Registry } from '../../registry/registry.ts';
import type { Waiting } from '../waiting.ts';
import type { ToldOutcome } from './apply-documents.ts';
import { statusNow } from './forward-documents.ts';

export interface Patience {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export interface Settled {
  readonly forward: Forward;
  readonly status: ForwardStatus;
}

/**
 * Waits until the forward's state is one that only a change elsewhere would end, and tells it. If somebody
 * changes the forward meanwhile, the answer is about that newer one.
 * Errors: `forward_not_found` if somebody removes it meanwhile.
 */
export async function untilSettled(
  registry: Registry,
  waiting: Waiting,
  written: Forward,
  { seconds, signal }: Patience,
): Promise<Settled> {
  const { forwards } = registry;
  const newest = () => {
    const known = forwards.get(written.id);
    return known !== undefined && known.revision > written.revision ? known : written;
  };
  const isGone = () => forwards.get(written.id) === undefined && forwards.revision() >= written.revision;
  const look = () => {
    const forward = newest();
    return { forward, status: statusNow(forward, registry) };
  };
  await waiting.until({ router: written.router, seconds, signal, done: () => isGone() || isSettled(look()) });
  if (isGone()) throw hatobaError('forward_not_found', { value: written.id });
  return look();
}

/** The same for a forward that was written some time ago: where it has been removed since, that is what is told of it. */
export async function untilSettledAgain(
  registry: Registry,
  waiting: Waiting,
  written: Forward,
  patience: Patience,
): Promise<Settled> {
  if (registry.forwards.get(written.id) === undefined) return { forward: written, status: REMOVED };
  return untilSettled(registry, waiting, written, patience);
}

const REMOVED: ForwardStatus = Object.freeze({
  state: 'error',
  message: 'it has been removed since',
  warnings: [],
  nodes: [],
});

/** Pending after a node has applied everything means that it lacks something, such as a gateway address. */
function isSettled({ forward, status }: Settled): boolean {
  return status.state !== 'pending' || status.nodes.every((node) => node.revision >= forward.revision);
}

/** Waits until no node of the router has the forward in the kernel any more; whether that is so. */
export async function untilRemoved(
  { statuses }: Registry,
  waiting: Waiting,
  removed: { readonly id: ForwardId; readonly router: RouterId; readonly revision: number },
  { seconds, signal }: Patience,
): Promise<boolean> {
  const { router, revision } = removed;
  const behind = () => statuses.of(router).filter((status) => status.revision < revision);
  const done = () => behind().every((status) => status.error !== null);
  await waiting.until({ router, seconds, signal, done });
  return behind().length === 0;
}

/** The outcome when every node has it, or cannot have it, or the time is over. */
export async function untilTold(
  registry: Registry,
  waiting: Waiting,
  outcome: BatchOutcome,
  patience: Patience,
): Promise<ToldOutcome> {
  const touched = new Set<RouterId>();
  for (const { before, after } of outcome.changes) {
    if (before !== null) touched.add(before.router);
    if (after !== null) touched.add(after.router);
  }
  return {
    outcome,
    dryRun: false,
    applied: await untilApplied(registry, waiting, touched, outcome.revision, patience),
  };
}

/** Waits until every node has come to that revision with these routers, or cannot; whether all have. */
export async function untilApplied(
  { statuses }: Registry,
  waiting: Waiting,
  routers: ReadonlySet<RouterId>,
  revision: number,
  { seconds, signal }: Patience,
): Promise<boolean> {
  const behind = (router: RouterId) => statuses.of(router).filter((status) => status.revision < revision);
  const settled = (router: RouterId) => behind(router).every((status) => status.error !== null);
  const waits = Array.from(routers, (router) =>
    waiting.until({ router, seconds, signal, done: () => settled(router) }),
  );
  await Promise.all(waits);
  return Array.from(routers).every((router) => behind(router).length === 0);
}
