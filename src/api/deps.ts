import type { FastifyBaseLogger } from 'fastify';
import type { Caller } from '../model/caller.ts';
import type { Grants } from '../model/grants.ts';
import type { OpenRegistry } from '../registry/open-registry.ts';
import type { Registry } from '../registry/registry.ts';
import type { Admit, Authenticate } from './access/guard.ts';
import type { AnswerLimits } from './answers/answer-budget.ts';
import type { Answers } from './answers/answers.ts';
import type { EventStreams } from './event-streams.ts';
import type { LocalNode } from './local-node.ts';
import type { Observations } from './metrics/observations.ts';
import type { NeutronOptions } from './neutron/options.ts';
import type { Waiting } from './waiting.ts';

/** What the API tells about the daemon it runs in. */
export interface NodeInfo {
  readonly version: string;
  readonly name: string;
  /** What makes our table of nftables here; null: nothing has to, for want of an agent, or because all is done by iptables. */
  readonly driver: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Where desired state is kept, for people to read. */
  readonly store: string;
  readonly roles: readonly string[];
}

export interface ApiDeps {
  readonly registry: OpenRegistry;
  /** What callers of one project may have. Default: nothing. */
  readonly grants?: Grants;
  /** Tells who asks. */
  readonly authenticate: Authenticate;
  /** Refuses who asks too much. Default: nobody does. */
  readonly admit?: Admit;
  readonly node: NodeInfo;
  /** Default: `NO_ROUTERS`. */
  readonly local?: LocalNode;
  /** What has happened, to be counted. Default: nothing is told. */
  readonly observations?: Observations;
  /** Of how many forwards there are metrics at most. Default: 0. */
  readonly forwardMetrics?: number;
  /** Rejects where this daemon cannot do its work at the moment. Default: it can. */
  readonly ready?: () => Promise<void>;
  /** See `Store.verify`. Default: it resolves. */
  readonly verifyStore?: () => Promise<void>;
  /** How Neutron's API is served. */
  readonly neutron?: NeutronOptions;
  /** So many connections the unix socket may have. Default: `MOST_CONNECTIONS`. */
  readonly mostConnections?: number;
  /** How much memory long answers may take. Default: `ANSWER_LIMITS`. */
  readonly answerLimits?: AnswerLimits;
  /** A pino logger; false: silence. */
  readonly log: FastifyBaseLogger | false;
}

/** What a plugin of routes may use. */
export interface RouteDeps {
  /** The registry as this caller may see and change it: there is no other way to it. */
  readonly registryOf: (caller: Caller) => Registry;
  readonly node: NodeInfo;
  /** What this node tells this caller: there is no other way to it. */
  readonly localOf: (caller: Caller) => LocalNode;
  /** Why changes would be lost at present, for people to read; `null`: they would not. */
  readonly storeTrouble: () => Promise<string | null>;
  readonly waiting: Waiting;
  readonly streams: EventStreams;
  readonly answers: Answers;
}
