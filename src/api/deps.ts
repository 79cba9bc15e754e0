import type { FastifyBaseLogger } from 'fastify';
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

export interface ApiDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  /** A pino logger; false: silence. */
  readonly log: FastifyBaseLogger | false;
}

/** What a plugin of routes may use. */
export interface RouteDeps {
  readonly registry: Registry;
  readonly node: NodeInfo;
  readonly waiting: Waiting;
}
