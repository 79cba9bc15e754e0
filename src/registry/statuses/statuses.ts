import type { Gateways, RouterId } from '../../model/router.ts';
import type { RouterStatus } from '../../model/status.ts';
import type { Commit, Store } from '../../store/store.ts';
import type { Feed } from '../feed.ts';
import type { DrainIndex } from '../forwards/drain-index.ts';
import type { TeardownIndex } from '../forwards/teardown-index.ts';
import { drainKey, statusKey, teardownKey } from '../keys.ts';
import type { Statuses } from '../registry.ts';
import type { SerialQueue } from '../serial-queue.ts';
import type { StatusMirror } from './status-mirror.ts';
import { writeStatus } from './status-record.ts';

export interface StatusesParts {
  readonly store: Store;
  readonly feed: Feed;
  readonly mirror: StatusMirror;
  readonly drains: DrainIndex;
  readonly teardowns: TeardownIndex;
  /** So that what is published is compared with what was published before. */
  readonly queue: SerialQueue;
}

export function createStatuses({ store, feed, mirror, drains, teardowns, queue }: StatusesParts): Statuses {
  function published(router: RouterId, node: string): RouterStatus | undefined {
    return mirror.of(router).find((status) => status.node === node);
  }

  function differs(status: RouterStatus): boolean {
    const before = published(status.router, status.node);
    return before === undefined || writeStatus(before) !== writeStatus(status);
  }

  function commitOf(node: string, statuses: readonly RouterStatus[], gone: readonly RouterId[]): Commit | null {
    const puts = statuses.filter(differs).map((status) => ({
      key: statusKey(status.router, status.node),
      value: writeStatus(status),
    }));
    const deletes = [
      ...gone.filter((router) => published(router, node) !== undefined).map((router) => statusKey(router, node)),
      ...appliedEverywhere(node, statuses, gone),
    ];
    // A node that starts after a power cut tells everything anew.
    return puts.length + deletes.length === 0 ? null : { puts, deletes, durable: false };
  }

  /** The keys of drains and teardowns that every node with their router has applied, by its status or by this commit. */
  function appliedEverywhere(
    node: string,
    statuses: readonly RouterStatus[],
    gone: readonly RouterId[],
  ): readonly string[] {
    const news = new Set([...gone, ...statuses.map(({ router }) => router)]);
    const isApplied = ({ router, revision }: { readonly router: RouterId; readonly revision: number }) => {
      const kept = mirror.of(router).filter((status) => status.node !== node || !news.has(router));
      const own = statuses.filter((status) => status.router === router);
      return [...kept, ...own].every((status) => status.revision >= revision);
    };
    return [
      ...Array.from(drains.all())
        .filter(isApplied)
        .map(({ router, id }) => drainKey(router, id)),
      ...Array.from(teardowns.all())
        .filter(isApplied)
        .map(({ router, id }) => teardownKey(router, id)),
    ];
  }

  return {
    of: (router) => mirror.of(router),
    ofNode: (node) =>
      Array.from(mirror.routers(), (router) => published(router, node)).filter((status) => status !== undefined),
    routers: () => Array.from(mirror.routers()).sort(),
    subscribe: (listener) => mirror.subscribe(listener),

    publish: (node, statuses, gone) =>
      queue.run(async () => {
        feed.refuseEnded();
        const commit = commitOf(node, statuses, gone);
        if (commit === null) return;
        const outcome = await store.commit(commit);
        if (outcome.committed) await feed.reached(outcome.revision);
      }),
  };
}

/** The router's gateway addresses, each as the first status that has one tells it. */
export function knownGateways(statuses: readonly RouterStatus[]): Gateways {
  const four = statuses.find(({ gateways }) => gateways[4] !== undefined)?.gateways[4];
  const six = statuses.find(({ gateways }) => gateways[6] !== undefined)?.gateways[6];
  return { ...(four === undefined ? {} : { 4: four }), ...(six === undefined ? {} : { 6: six }) };
}
