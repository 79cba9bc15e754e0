import type { FastifyBaseLogger } from 'fastify';
import type { Counters } from '../model/counters.ts';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import type { Registry } from '../registry/registry.ts';
import type { Waiting } from './waiting.ts';

/** What the API tells about the daemon it runs in. */
export interface NodeInfo {
  readonly version: string;
  readonly name: string;
  /** The kernel driver in use; null: this node programs no kernel. */
  readonly driver: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Where desired state is kept, for people to read. */
  readonly store: string;
  readonly roles: readonly string[];
}

/** What has gone through one forward on this node. */
export interface NodeCounters extends Counters {
  readonly forward: ForwardId;
  /** Milliseconds since 1970; `null`: not since anybody looked. */
  readonly lastUsed: number | null;
}

/** Of one forward of the router, or (`null`) all; none where this node does not have the router. */
export type ReadCounters = (router: RouterId, forward: ForwardId | null) => Promise<readonly NodeCounters[]>;

export interface ApiDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  readonly counters: ReadCounters;
  /** A pino logger; false: silence. */
  readonly log: FastifyBaseLogger | false;
}

/** What a plugin of routes may use. */
export interface RouteDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  readonly counters: ReadCounters;
  readonly waiting: Waiting;
}
