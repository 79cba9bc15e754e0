import type { RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import type { Statuses } from '../registry/registry.ts';

/** Writes what this node did into the store, many routers with one commit when many change at once. */
export interface Publisher {
  /** The router's status is another now. */
  touch(router: RouterId): void;
  /** Everything touched so far is written, or has failed. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export interface PublisherOptions {
  readonly statuses: Statuses;
  readonly node: string;
  /** The router's status at this moment; `undefined`: this node no longer has it. */
  readonly statusOf: (router: RouterId) => RouterStatus | undefined;
  /** Whether more is to be expected at once. */
  readonly busy: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** While many routers change, they are collected for so many milliseconds. */
const GATHER = 100;
const RETRY = 5_000;

export function createPublisher({ statuses, node, statusOf, busy, onError }: PublisherOptions): Publisher {
  const dirty = new Set<RouterId>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let stopped = false;

  function touch(router: RouterId): void {
    dirty.add(router);
    if (timer !== undefined || writing !== undefined || stopped) return;
    if (busy()) timer = setTimeout(write, GATHER);
    else write();
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    writing = writeAll().finally(() => {
      writing = undefined;
      if (dirty.size > 0 && timer === undefined && !stopped) timer = setTimeout(write, busy() ? GATHER : 0);
    });
  }

  async function writeAll(): Promise<void> {
    const routers = [...dirty];
    dirty.clear();
    const current = routers.map((router) => ({ router, status: statusOf(router) }));
    const present = current.flatMap(({ status }) => (status === undefined ? [] : [status]));
    const gone = current.filter(({ status }) => status === undefined).map(({ router }) => router);
    try {
      await statuses.publish(node, present, gone);
    } catch (error) {
      onError(error);
      for (const router of routers) dirty.add(router);
      if (!stopped) timer = setTimeout(write, RETRY);
    }
  }

  async function flush(): Promise<void> {
    await writing;
    // Another caller may have begun to write what was touched before this one came.
    if (dirty.size > 0 && writing === undefined) write();
    await writing;
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    await flush();
  }

  return { touch, flush, stop };
}
