// Made from openapi.json by scripts/client-text.ts; test/client/operations.test.ts writes it anew.

import { count, dictionary, flag, type Guarded, list, nullable, oneOf, record, text } from './guards.ts';
import type { Operation } from './operation.ts';

export const isNodeForwardStatus = record({
  node: text,
  state: oneOf('active', 'pending', 'waiting', 'disabled', 'expired', 'error'),
  external_address: nullable(text),
  revision: count,
  /** RFC 3339, UTC */
  at: text,
  message: nullable(text),
});
export type NodeForwardStatus = Guarded<typeof isNodeForwardStatus>;

export const isForwardStatus = record({
  state: oneOf('active', 'pending', 'waiting', 'disabled', 'expired', 'error'),
  message: nullable(text),
  warnings: list(text),
  nodes: list(isNodeForwardStatus),
});
export type ForwardStatus = Guarded<typeof isForwardStatus>;

export const isForward = record({
  name: nullable(text),
  description: nullable(text),
  project_id: nullable(text),
  labels: dictionary(text),
  /** a Neutron router's UUID, the name of a network namespace, or host */
  router: text,
  /** tcp (default), udp, sctp, dccp or udplite */
  protocol: text,
  /** an address, or gateway (default): the router’s own */
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  enabled: flag,
  /** RFC 3339; null: never */
  expires_at: nullable(text),
  id: text,
  revision: count,
  /** RFC 3339, UTC */
  created_at: text,
  /** RFC 3339, UTC */
  updated_at: text,
  status: isForwardStatus,
});
export type Forward = Guarded<typeof isForward>;

export const isForwardPage = record({
  forwards: list(isForward),
  next: nullable(text),
  /** what is listed is at least as new; events after it miss nothing */
  revision: count,
});
export type ForwardPage = Guarded<typeof isForwardPage>;

export const isApplyChange = record({
  change: oneOf('create', 'update', 'remove'),
  id: nullable(text),
  before: nullable(
    record({
      name: nullable(text),
      description: nullable(text),
      project_id: nullable(text),
      labels: dictionary(text),
      /** a Neutron router's UUID, the name of a network namespace, or host */
      router: text,
      /** tcp (default), udp, sctp, dccp or udplite */
      protocol: text,
      /** an address, or gateway (default): the router’s own */
      external_address: text,
      external_port: text,
      internal_address: text,
      internal_port: text,
      sources: list(text),
      enabled: flag,
      /** RFC 3339; null: never */
      expires_at: nullable(text),
    }),
  ),
  after: nullable(
    record({
      name: nullable(text),
      description: nullable(text),
      project_id: nullable(text),
      labels: dictionary(text),
      /** a Neutron router's UUID, the name of a network namespace, or host */
      router: text,
      /** tcp (default), udp, sctp, dccp or udplite */
      protocol: text,
      /** an address, or gateway (default): the router’s own */
      external_address: text,
      external_port: text,
      internal_address: text,
      internal_port: text,
      sources: list(text),
      enabled: flag,
      /** RFC 3339; null: never */
      expires_at: nullable(text),
    }),
  ),
  state: nullable(oneOf('active', 'pending', 'waiting', 'disabled', 'expired', 'error')),
  message: nullable(text),
});
export type ApplyChange = Guarded<typeof isApplyChange>;

export const isApplyResult = record({
  revision: count,
  dry_run: flag,
  /** whether every node that has one of these routers has come to that revision */
  applied: flag,
  created: count,
  updated: count,
  removed: count,
  unchanged: count,
  changes: list(isApplyChange),
});
export type ApplyResult = Guarded<typeof isApplyResult>;

export const isForwardRemoval = record({
  id: text,
  revision: count,
  /** whether no node has it in the kernel any more */
  applied: flag,
});
export type ForwardRemoval = Guarded<typeof isForwardRemoval>;

export const isBackupForward = record({
  id: text,
  name: nullable(text),
  description: nullable(text),
  project_id: nullable(text),
  labels: dictionary(text),
  /** a Neutron router's UUID, the name of a network namespace, or host */
  router: text,
  /** tcp (default), udp, sctp, dccp or udplite */
  protocol: text,
  /** an address, or gateway (default): the router’s own */
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  enabled: flag,
  /** RFC 3339; null: never */
  expires_at: nullable(text),
  /** RFC 3339, UTC */
  created_at: text,
  /** RFC 3339, UTC */
  updated_at: text,
});
export type BackupForward = Guarded<typeof isBackupForward>;

export const isBackup = record({ format: oneOf('hatoba-backup-1'), revision: count, forwards: list(isBackupForward) });
export type Backup = Guarded<typeof isBackup>;

export const isAdoptedRule = record({
  instance: text,
  /** iptables-nft, ip6tables-nft, iptables-legacy, ip6tables-legacy or nft */
  program: text,
  /** as the program prints it */
  text: text,
  /** gone: somebody had already removed it; kept: its forwards are not active */
  outcome: oneOf('planned', 'removed', 'gone', 'kept', 'failed'),
  reason: nullable(text),
  forwards: list(text),
});
export type AdoptedRule = Guarded<typeof isAdoptedRule>;

export const isAdoptResult = record({
  router: text,
  node: text,
  /** what was planned, as a number: another plan has another one */
  plan: text,
  dry_run: flag,
  revision: count,
  changes: list(isApplyChange),
  rules: list(isAdoptedRule),
  left: list(
    record({
      instance: text,
      /** iptables-nft, ip6tables-nft, iptables-legacy, ip6tables-legacy or nft */
      program: text,
      /** as the program prints it */
      text: text,
      reason: text,
    }),
  ),
  /** rules that report packets, stay, and are no longer met by those of the forwards */
  bypassed: list(
    record({
      instance: text,
      /** iptables-nft, ip6tables-nft, iptables-legacy, ip6tables-legacy or nft */
      program: text,
      /** as the program prints it */
      text: text,
      reason: text,
    }),
  ),
  /** what could not be read, and why */
  unread: list(text),
  /** those that the router has on its outside interfaces on this node */
  addresses: list(record({ interface: text, address: text })),
  owned: list(record({ owner: text, rules: count })),
});
export type AdoptResult = Guarded<typeof isAdoptResult>;

export const isRecoverResult = record({
  node: text,
  dry_run: flag,
  revision: count,
  /** forwards with the ids that they have in the kernel; `gateway` where they have its present address */
  changes: list(isApplyChange),
  /** what could not be made a forward, and why */
  left: list(record({ id: text, router: text, reason: text })),
});
export type RecoverResult = Guarded<typeof isRecoverResult>;

export const isCleanupResult = record({
  node: text,
  /** how many forwards that the store does not know were taken out of the kernel */
  removed: list(record({ router: text, forwards: count })),
});
export type CleanupResult = Guarded<typeof isCleanupResult>;

export const isRouterOnNode = record({
  node: text,
  instances: list(text),
  gateways: list(text),
  revision: count,
  /** RFC 3339, UTC */
  at: text,
  error: nullable(text),
  problems: count,
});
export type RouterOnNode = Guarded<typeof isRouterOnNode>;

export const isRouter = record({ id: text, gateways: list(text), forwards: count, nodes: list(isRouterOnNode) });
export type Router = Guarded<typeof isRouter>;

export const isRouterList = record({
  routers: list(isRouter),
  /** what is listed is at least as new; events after it miss nothing */
  revision: count,
});
export type RouterList = Guarded<typeof isRouterList>;

export const isNode = record({
  name: text,
  /** whether it is the one that gives this answer */
  answers: flag,
  /** null: only the node itself knows */
  version: nullable(text),
  /** likewise */
  roles: nullable(list(text)),
  /** of the kernel; likewise */
  driver: nullable(text),
  started_at: nullable(text),
  /** how many it has, or had when it last told of them */
  routers: count,
  routers_in_error: count,
  /** how many forwards are not in its kernel for a reason */
  problems: count,
  /** when it last made or found something of a router, RFC 3339; null: it has none */
  last_told: nullable(text),
});
export type Node = Guarded<typeof isNode>;

export const isNodeList = record({
  nodes: list(isNode),
  /** what is listed is at least as new; events after it miss nothing */
  revision: count,
});
export type NodeList = Guarded<typeof isNodeList>;

export const isCounters = record({
  forward: text,
  router: text,
  node: text,
  connections: count,
  packets_in: nullable(count),
  bytes_in: nullable(count),
  packets_out: nullable(count),
  bytes_out: nullable(count),
  last_used: nullable(text),
  /** flows there are now; null: not asked for */
  live: nullable(count),
});
export type Counters = Guarded<typeof isCounters>;

export const isCounterList = record({ counters: list(isCounters) });
export type CounterList = Guarded<typeof isCounterList>;

export const isStatus = record({
  version: text,
  node: text,
  roles: list(text),
  /** RFC 3339, UTC */
  started_at: text,
  store: text,
  /** why no change is accepted at present; null: changes are accepted */
  store_trouble: nullable(text),
  driver: nullable(text),
  revision: count,
  /** since which forwards, and the addresses that they have outside, are as they are; states can be newer */
  listing_revision: count,
  /** that some node has */
  routers: count,
  forwards: record({
    total: count,
    active: count,
    pending: count,
    waiting: count,
    disabled: count,
    expired: count,
    error: count,
  }),
  forwards_with_warnings: count,
  /** the first few, oldest first, but for those of routers_in_error */
  forwards_in_error: list(record({ id: text, name: nullable(text), router: text, message: nullable(text) })),
  /** forwards that are in the kernel and that the store does not know */
  orphaned: record({ forwards: count, routers: count }),
  /** the first few */
  routers_in_error: list(record({ router: text, node: text, message: text })),
  /** null: this node has no router at present */
  connection_tracking: nullable(
    record({
      /** in all routers of this node */
      entries: count,
      /** of each router; 0: none */
      limit: nullable(count),
      fullest: record({ router: text, entries: count }),
    }),
  ),
});
export type Status = Guarded<typeof isStatus>;

export const isToken = record({
  /** unique among tokens */
  name: text,
  role: oneOf('reader', 'member', 'admin'),
  /** the project that it acts for; null: it acts for all of them, and for what belongs to none */
  project: nullable(text),
  /** RFC 3339; null: never */
  expires_at: nullable(text),
  id: text,
  state: oneOf('valid', 'expired'),
  /** who made it */
  created_by: text,
  /** RFC 3339, UTC */
  created_at: text,
});
export type Token = Guarded<typeof isToken>;

export const isTokenList = record({ tokens: list(isToken) });
export type TokenList = Guarded<typeof isTokenList>;

export const isIssuedToken = record({
  /** unique among tokens */
  name: text,
  role: oneOf('reader', 'member', 'admin'),
  /** the project that it acts for; null: it acts for all of them, and for what belongs to none */
  project: nullable(text),
  /** RFC 3339; null: never */
  expires_at: nullable(text),
  id: text,
  state: oneOf('valid', 'expired'),
  /** who made it */
  created_by: text,
  /** RFC 3339, UTC */
  created_at: text,
  /** what proves the right to it; told this once, and kept nowhere */
  secret: text,
});
export type IssuedToken = Guarded<typeof isIssuedToken>;

export const isTokenRevocation = record({ id: text, revision: count });
export type TokenRevocation = Guarded<typeof isTokenRevocation>;

export const isTracedForward = record({
  id: text,
  name: nullable(text),
  protocol: text,
  /** as it is at present; gateway where the router has none */
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  revision: count,
});
export type TracedForward = Guarded<typeof isTracedForward>;

export const isPacketEnds = record({ source: text, source_port: count, destination: text, destination_port: count });
export type PacketEnds = Guarded<typeof isPacketEnds>;

export const isPacketStep = record({
  /** family and name */
  table: text,
  chain: text,
  /** where the kernel begins; null: it was jumped to */
  base: nullable(record({ type: text, hook: text, priority: count })),
  /** null: the chain's policy */
  handle: nullable(count),
  /** as nft prints it */
  rule: nullable(text),
  verdict: text,
  ours: flag,
});
export type PacketStep = Guarded<typeof isPacketStep>;

export const isPacketWay = record({
  arrived: isPacketEnds,
  /** interface; null: the router itself */
  from: nullable(text),
  steps: list(isPacketStep),
  outcome: oneOf('forwarded', 'delivered', 'dropped', 'lost'),
  left: nullable(isPacketEnds),
  to: nullable(text),
});
export type PacketWay = Guarded<typeof isPacketWay>;

export const isCaughtPacket = record({
  instance: text,
  way: isPacketWay,
  /** connection tracking led it as its flow had begun; no nat chain was asked */
  known_flow: flag,
  /** null: none was seen within a second */
  reply: nullable(isPacketWay),
  /** whether the kernel did what is said above */
  as_compiled: flag,
  difference: nullable(text),
  /** whether the packet and its answer got where they belong; null: no answer was seen */
  got_through: nullable(flag),
  /** both in words: what the kernel did, and whether packet and answer got through */
  verdict: text,
  legacy_tables: list(text),
});
export type CaughtPacket = Guarded<typeof isCaughtPacket>;

export const isLiveTrace = record({
  node: text,
  timeout: count,
  /** null: none came in time */
  packet: nullable(isCaughtPacket),
});
export type LiveTrace = Guarded<typeof isLiveTrace>;

export const isTrace = record({
  router: text,
  gateways: list(text),
  packet: record({
    protocol: text,
    source: text,
    source_port: nullable(count),
    destination: text,
    destination_port: count,
  }),
  /** null: none takes it */
  forward: nullable(isTracedForward),
  /** whether a forward of another project has what the packet is for; no more is told of it */
  another_project: flag,
  /** the nearest first */
  misses: list(
    record({
      forward: isTracedForward,
      refusals: list(
        record({
          reason: oneOf(
            'disabled',
            'expired',
            'waiting',
            'pending',
            'displaced',
            'source',
            'protocol',
            'address',
            'port',
          ),
          message: text,
        }),
      ),
    }),
  ),
  /** null: it goes on as it is */
  target: nullable(
    record({
      address: text,
      port: count,
      /** a client whose packets come in by the inside interface by which the target is reached is seen as the router, any other as itself */
      masquerade: oneOf('same_interface'),
    }),
  ),
  /** as the client sees it */
  reply: nullable(
    record({ protocol: text, source: text, source_port: count, destination: text, destination_port: nullable(count) }),
  ),
  nodes: list(
    record({
      node: text,
      /** whether its kernel does what is said here */
      applied: flag,
      revision: count,
      /** RFC 3339, UTC */
      at: text,
      message: nullable(text),
    }),
  ),
  /** null: not asked for */
  live: nullable(isLiveTrace),
});
export type Trace = Guarded<typeof isTrace>;

export const isFinding = record({
  level: oneOf('ok', 'warning', 'problem'),
  /** stable; docs/findings.md lists them */
  code: text,
  router: nullable(text),
  instance: nullable(text),
  forward: nullable(text),
  seen: text,
  advice: nullable(text),
});
export type Finding = Guarded<typeof isFinding>;

export const isDiagnosis = record({
  node: text,
  /** how many were looked at */
  routers: count,
  /** how many they have */
  forwards: count,
  problems: count,
  warnings: count,
  findings: list(isFinding),
});
export type Diagnosis = Guarded<typeof isDiagnosis>;

export interface ForwardCreate {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly project_id?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** a Neutron router's UUID, the name of a network namespace, or host */
  readonly router?: string | undefined;
  /** tcp (default), udp, sctp, dccp or udplite */
  readonly protocol?: string | undefined;
  /** an address, or gateway (default): the router’s own */
  readonly external_address?: string | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly internal_port?: string | number | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  /** RFC 3339; null: never */
  readonly expires_at?: string | null | undefined;
  /** seconds from now */
  readonly expires_in?: number | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly external_port: string | number;
  readonly internal_address: string;
}

export interface ForwardsCreate {
  readonly forwards: readonly ForwardCreate[];
}

export interface ForwardPatch {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly project_id?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** a Neutron router's UUID, the name of a network namespace, or host */
  readonly router?: string | undefined;
  /** tcp (default), udp, sctp, dccp or udplite */
  readonly protocol?: string | undefined;
  /** an address, or gateway (default): the router’s own */
  readonly external_address?: string | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly external_port?: string | number | undefined;
  readonly internal_address?: string | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly internal_port?: string | number | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  /** RFC 3339; null: never */
  readonly expires_at?: string | null | undefined;
  /** seconds from now */
  readonly expires_in?: number | undefined;
}

export interface ApplyItem {
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly project_id?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** a Neutron router's UUID, the name of a network namespace, or host */
  readonly router?: string | undefined;
  /** tcp (default), udp, sctp, dccp or udplite */
  readonly protocol?: string | undefined;
  /** an address, or gateway (default): the router’s own */
  readonly external_address?: string | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly internal_port?: string | number | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  /** RFC 3339; null: never */
  readonly expires_at?: string | null | undefined;
  /** a port or a range of ports: 5001, "5001", "5001-5010"; outside also auto: the lowest free ones */
  readonly external_port: string | number;
  readonly internal_address: string;
  /** which forward it is; without one, that of its name, else that at its place, else a new one */
  readonly id?: string | undefined;
}

export interface ApplyRequest {
  readonly forwards: readonly ApplyItem[];
  /** for forwards that name none */
  readonly router?: string | undefined;
  /** remove all other forwards: of the routers that are named here, or of all */
  readonly prune?: 'routers' | 'all' | undefined;
  /** say what would be changed, and change nothing */
  readonly dry_run?: boolean | undefined;
}

export interface AdoptRequest {
  /** may be left out where some node has exactly one */
  readonly router?: string | undefined;
  readonly outside?: readonly string[] | undefined;
  readonly follow_gateway?: boolean | undefined;
  readonly all_addresses?: boolean | undefined;
  /** the plan of a dry run: only if it would still be the same */
  readonly plan?: string | undefined;
  /** say what would be changed, and change nothing */
  readonly dry_run?: boolean | undefined;
}

export interface RecoverRequest {
  /** only this one; default: all of this node */
  readonly router?: string | undefined;
  /** say what would be made, and change nothing */
  readonly dry_run?: boolean | undefined;
}

export interface CleanupRequest {
  /** only this one; default: all of this node */
  readonly router?: string | undefined;
}

export interface TokenCreate {
  /** unique among tokens */
  readonly name: string;
  readonly role: 'reader' | 'member' | 'admin';
  /** the project that it acts for; null: it acts for all of them, and for what belongs to none */
  readonly project?: string | null | undefined;
  /** RFC 3339; null: never */
  readonly expires_at?: string | null | undefined;
  /** seconds from now */
  readonly expires_in?: number | undefined;
}

export interface TraceRequest {
  /** id, namespace or beginning of an id; may be left out where there is exactly one */
  readonly router?: string | undefined;
  /** tcp (default), udp, sctp, dccp or udplite */
  readonly protocol?: string | undefined;
  readonly source: string;
  /** one port */
  readonly source_port?: string | number | undefined;
  readonly destination: string;
  /** one port */
  readonly destination_port: string | number;
  /** also wait for such a packet, and tell what the kernel of this node does with it */
  readonly live?: boolean | undefined;
  /** seconds to wait for it at most; default 10 */
  readonly timeout?: number | undefined;
}

/** What each operation takes and gives. In a query a number may be a text, as somebody wrote it. */
export interface Operations {
  /** List forwards. */
  readonly listForwards: {
    readonly parameters: {
      readonly router?: string | undefined;
      readonly project_id?: string | undefined;
      readonly state?: 'active' | 'pending' | 'waiting' | 'disabled' | 'expired' | 'error' | undefined;
      readonly name?: string | undefined;
      readonly protocol?: string | undefined;
      readonly internal_address?: string | undefined;
      readonly label?: string | undefined;
      readonly sort?:
        | 'created_at'
        | 'updated_at'
        | 'name'
        | 'router'
        | 'external_port'
        | 'internal_address'
        | '-created_at'
        | '-updated_at'
        | '-name'
        | '-router'
        | '-external_port'
        | '-internal_address'
        | undefined;
      readonly limit?: number | string | undefined;
      readonly marker?: string | undefined;
    };
    readonly body: undefined;
    readonly answer: ForwardPage;
  };
  /** Add a forward. */
  readonly createForward: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly 'idempotency-key'?: string | undefined;
    };
    readonly body: ForwardCreate;
    readonly answer: Forward;
  };
  /** Add many forwards, all or none. */
  readonly createForwards: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly 'idempotency-key'?: string | undefined;
    };
    readonly body: ForwardsCreate;
    readonly answer: ApplyResult;
  };
  /** Show a forward. */
  readonly getForward: {
    readonly parameters: {
      readonly reference: string;
    };
    readonly body: undefined;
    readonly answer: Forward;
  };
  /** Change a forward. */
  readonly updateForward: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly reference: string;
      readonly 'if-match'?: string | undefined;
    };
    readonly body: ForwardPatch;
    readonly answer: Forward;
  };
  /** Remove a forward. */
  readonly removeForward: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly drain?: 'true' | 'false' | undefined;
      readonly reference: string;
      readonly 'if-match'?: string | undefined;
    };
    readonly body: undefined;
    readonly answer: ForwardRemoval;
  };
  /** Make many forwards what is wanted, all or none. */
  readonly applyForwards: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly 'idempotency-key'?: string | undefined;
    };
    readonly body: ApplyRequest;
    readonly answer: ApplyResult;
  };
  /** All forwards that the caller sees, with ids and times. */
  readonly getBackup: {
    readonly parameters: Record<string, never>;
    readonly body: undefined;
    readonly answer: Backup;
  };
  /** Put the forwards of a backup back. */
  readonly restoreBackup: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
      readonly replace?: 'true' | 'false' | undefined;
    };
    readonly body: Backup;
    readonly answer: ApplyResult;
  };
  /** Take over rules that were made by hand in a router of this node. */
  readonly adoptRules: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
    };
    readonly body: AdoptRequest;
    readonly answer: AdoptResult;
  };
  /** Make forwards of what the kernel has and the store does not know. */
  readonly recoverForwards: {
    readonly parameters: {
      readonly wait?: number | string | undefined;
    };
    readonly body: RecoverRequest;
    readonly answer: RecoverResult;
  };
  /** Take out of the kernel what the store does not know. */
  readonly cleanUp: {
    readonly parameters: Record<string, never>;
    readonly body: CleanupRequest;
    readonly answer: CleanupResult;
  };
  /** List routers. */
  readonly listRouters: {
    readonly parameters: Record<string, never>;
    readonly body: undefined;
    readonly answer: RouterList;
  };
  /** Show a router. */
  readonly getRouter: {
    readonly parameters: {
      readonly reference: string;
    };
    readonly body: undefined;
    readonly answer: Router;
  };
  /** List nodes. */
  readonly listNodes: {
    readonly parameters: Record<string, never>;
    readonly body: undefined;
    readonly answer: NodeList;
  };
  /** What has gone through forwards. */
  readonly getCounters: {
    readonly parameters: {
      readonly router?: string | undefined;
      readonly live?: 'true' | 'false' | undefined;
      readonly forward?: string | undefined;
    };
    readonly body: undefined;
    readonly answer: CounterList;
  };
  /** How the daemon stands. */
  readonly getStatus: {
    readonly parameters: Record<string, never>;
    readonly body: undefined;
    readonly answer: Status;
  };
  /** List API tokens, oldest first. */
  readonly listTokens: {
    readonly parameters: Record<string, never>;
    readonly body: undefined;
    readonly answer: TokenList;
  };
  /** Make an API token. */
  readonly createToken: {
    readonly parameters: Record<string, never>;
    readonly body: TokenCreate;
    readonly answer: IssuedToken;
  };
  /** Show an API token, but for its secret. */
  readonly getToken: {
    readonly parameters: {
      readonly reference: string;
    };
    readonly body: undefined;
    readonly answer: Token;
  };
  /** Revoke an API token. */
  readonly revokeToken: {
    readonly parameters: {
      readonly reference: string;
    };
    readonly body: undefined;
    readonly answer: TokenRevocation;
  };
  /** What a router does to a packet, and why. */
  readonly tracePacket: {
    readonly parameters: Record<string, never>;
    readonly body: TraceRequest;
    readonly answer: Trace;
  };
  /** What is wrong with this node and its routers, and what to do about it. */
  readonly diagnoseNode: {
    readonly parameters: {
      readonly router?: string | undefined;
    };
    readonly body: undefined;
    readonly answer: Diagnosis;
  };
  /** Everything that decides whether packets of a forward get through. */
  readonly diagnoseForward: {
    readonly parameters: {
      readonly reference: string;
    };
    readonly body: undefined;
    readonly answer: Diagnosis;
  };
}

type Table = { readonly [Id in keyof Operations]: Operation<Operations[Id]['answer']> };

export const OPERATIONS: Table = {
  listForwards: {
    method: 'GET',
    path: '/v1/forwards',
    query: [
      'router',
      'project_id',
      'state',
      'name',
      'protocol',
      'internal_address',
      'label',
      'sort',
      'limit',
      'marker',
    ],
    headers: [],
    answer: isForwardPage,
  },
  createForward: {
    method: 'POST',
    path: '/v1/forwards',
    query: ['wait'],
    headers: ['idempotency-key'],
    answer: isForward,
  },
  createForwards: {
    method: 'POST',
    path: '/v1/forwards/bulk',
    query: ['wait'],
    headers: ['idempotency-key'],
    answer: isApplyResult,
  },
  getForward: {
    method: 'GET',
    path: '/v1/forwards/{reference}',
    query: [],
    headers: [],
    answer: isForward,
  },
  updateForward: {
    method: 'PATCH',
    path: '/v1/forwards/{reference}',
    query: ['wait'],
    headers: ['if-match'],
    answer: isForward,
  },
  removeForward: {
    method: 'DELETE',
    path: '/v1/forwards/{reference}',
    query: ['wait', 'drain'],
    headers: ['if-match'],
    answer: isForwardRemoval,
  },
  applyForwards: {
    method: 'POST',
    path: '/v1/apply',
    query: ['wait'],
    headers: ['idempotency-key'],
    answer: isApplyResult,
  },
  getBackup: {
    method: 'GET',
    path: '/v1/backup',
    query: [],
    headers: [],
    answer: isBackup,
  },
  restoreBackup: {
    method: 'PUT',
    path: '/v1/backup',
    query: ['wait', 'replace'],
    headers: [],
    answer: isApplyResult,
  },
  adoptRules: {
    method: 'POST',
    path: '/v1/adopt',
    query: ['wait'],
    headers: [],
    answer: isAdoptResult,
  },
  recoverForwards: {
    method: 'POST',
    path: '/v1/recover',
    query: ['wait'],
    headers: [],
    answer: isRecoverResult,
  },
  cleanUp: {
    method: 'POST',
    path: '/v1/cleanup',
    query: [],
    headers: [],
    answer: isCleanupResult,
  },
  listRouters: {
    method: 'GET',
    path: '/v1/routers',
    query: [],
    headers: [],
    answer: isRouterList,
  },
  getRouter: {
    method: 'GET',
    path: '/v1/routers/{reference}',
    query: [],
    headers: [],
    answer: isRouter,
  },
  listNodes: {
    method: 'GET',
    path: '/v1/nodes',
    query: [],
    headers: [],
    answer: isNodeList,
  },
  getCounters: {
    method: 'GET',
    path: '/v1/counters',
    query: ['router', 'live', 'forward'],
    headers: [],
    answer: isCounterList,
  },
  getStatus: {
    method: 'GET',
    path: '/v1/status',
    query: [],
    headers: [],
    answer: isStatus,
  },
  listTokens: {
    method: 'GET',
    path: '/v1/tokens',
    query: [],
    headers: [],
    answer: isTokenList,
  },
  createToken: {
    method: 'POST',
    path: '/v1/tokens',
    query: [],
    headers: [],
    answer: isIssuedToken,
  },
  getToken: {
    method: 'GET',
    path: '/v1/tokens/{reference}',
    query: [],
    headers: [],
    answer: isToken,
  },
  revokeToken: {
    method: 'DELETE',
    path: '/v1/tokens/{reference}',
    query: [],
    headers: [],
    answer: isTokenRevocation,
  },
  tracePacket: {
    method: 'POST',
    path: '/v1/trace',
    query: [],
    headers: [],
    answer: isTrace,
  },
  diagnoseNode: {
    method: 'GET',
    path: '/v1/diagnosis',
    query: ['router'],
    headers: [],
    answer: isDiagnosis,
  },
  diagnoseForward: {
    method: 'GET',
    path: '/v1/forwards/{reference}/diagnosis',
    query: [],
    headers: [],
    answer: isDiagnosis,
  },
};
