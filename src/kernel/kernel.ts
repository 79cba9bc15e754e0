import type { FlowUsage } from '../model/flow-usage.ts';
import type { ConntrackAbilities } from './conntrack/abilities.ts';
import type { FlowPlace } from './conntrack/live-flows.ts';
import type { FlowChange } from './conntrack/stale-flows.ts';
import type { Interface } from './netlink/rtnetlink.ts';
import type { NatTable } from './nft/iptables-chains.ts';
import type { NftDriverName } from './nft/nft.ts';
import type { TableChange } from './nft/nft-batch.ts';
import type { TableSource } from './nft/nft-compile.ts';
import type { ElementCounter } from './nft/nft-counters.ts';
import type { TableState } from './nft/nft-table.ts';
import type { TraceMessage } from './nft/nft-trace.ts';
import type { OthersTables } from './nft/others-tables.ts';
import type { ProgramResult } from './program.ts';
import type { DefaultRoute } from './routes/default-routes.ts';

export interface KernelOptions {
  /** Where `ip netns` keeps names; the directory itself may not exist yet. */
  readonly directory: string;
  /** Our table: what every attached namespace can be given, and whose changes by others are reported. */
  readonly table: TableSource;
  /** What makes the table the first time; `null`: the library, or the program where there is none. */
  readonly driver: NftDriverName | null;
  /** Whether the table is to be made anywhere. Otherwise nft is not needed, nor a kernel that has nftables. */
  readonly compiled: boolean;
  /** Names of the chains that are ours in iptables' table `nat`. */
  readonly natChains: readonly string[];
}

export type KernelEvent =
  /** A name leads to a network namespace now; also when it leads to another one than before. */
  | { readonly kind: 'mounted'; readonly namespace: string }
  | { readonly kind: 'unmounted'; readonly namespace: string }
  /** A name in the directory that cannot be used; told once. */
  | { readonly kind: 'ignored'; readonly namespace: string; readonly reason: string }
  /** The names could not be read, for want of descriptors or memory; they are read again every second until they can. */
  | { readonly kind: 'unread'; readonly reason: string }
  /** The interfaces, addresses or default routes of an attached namespace have changed. */
  | ({ readonly kind: 'interfaces'; readonly namespace: string } & Links)
  /** Somebody else may have changed what is watched in an attached namespace; told again only after it was read or written. */
  | { readonly kind: 'disturbed'; readonly namespace: string }
  /** Others have changed rules of theirs, but not those of iptables-legacy; told again only after `othersTables`. */
  | { readonly kind: 'others'; readonly namespace: string }
  /** The machine's clock was set, or the machine has slept. */
  | { readonly kind: 'clock_set' };

/** How a namespace is connected. */
export interface Links {
  readonly interfaces: readonly Interface[];
  /** As the kernel prefers them; none where they were not asked for. */
  readonly defaultRoutes: readonly DefaultRoute[];
}

export interface AttachOptions {
  /** Whether its default routes are wanted, which means to be told of every change of a route there. */
  readonly defaultRoutes?: boolean;
  /** Whether changes of the tables `nat` of iptables-nft, by anybody, are disturbances there as those of our table are. */
  readonly natTables?: boolean;
}

/** What an attached namespace has of what concerns us. */
export interface NamespaceState extends Links {
  /** Our table; `null`: there is none. */
  readonly table: TableState | null;
  readonly iptables: IptablesState;
}

/** What iptables has of ours in an attached namespace, without a process. */
export interface IptablesState {
  /** Tables that have a chain of ours. */
  readonly tables: readonly NatTable[];
  /**
   * The number of the ruleset: raised by one with every transaction of anybody, those of iptables-legacy excepted. What is
   * disturbed by those up to here is told before this is answered.
   */
  readonly generation: number;
}

/** What became of the flows that a change left behind; the change itself is made in either case. */
export interface EndedFlows {
  readonly count: number;
  /** Why they could not be ended. */
  readonly failure: string | null;
}

/** The only way to Linux' networking. Errors: `namespace_gone`, `kernel_refused`, `kernel_stopped`, `kernel_unsupported`. */
export interface Kernel {
  /** `null`: nothing had to be compiled. */
  readonly driver: NftDriverName | null;
  /** That of our table as it should be; empty where nothing was compiled. */
  readonly fingerprint: string;
  /** Reports by event which names lead to namespaces: those of now before it resolves, then what changes. */
  watch(onEvent: (event: KernelEvent) => void): Promise<void>;
  /** Opens the namespace that the name leads to now, and reports its changes from here on. */
  attach(namespace: string, options?: AttachOptions): Promise<NamespaceState>;
  /** Lets go of it, so that Linux can take it away. */
  detach(namespace: string): Promise<void>;
  /**
   * Changes our table in an attached namespace, all of it or nothing (`null`: it is as it should be); then ends the flows
   * that `flows` leaves behind.
   */
  change(namespace: string, change: TableChange | null, flows?: FlowChange): Promise<EndedFlows>;
  /** Our table in an attached namespace; `null`: there is none. */
  readTable(namespace: string): Promise<TableState | null>;
  /** What iptables has there; what is disturbed from here on is told again. */
  readIptables(namespace: string): Promise<IptablesState>;
  /** Ends the flows that a change leaves behind which was made by other means than `change`. */
  endFlows(namespace: string, flows: FlowChange): Promise<EndedFlows>;
  /** How often elements of our table were met: those with this comment, or (`null`) all. */
  readCounters(namespace: string, comment: string | null): Promise<readonly ElementCounter[]>;
  /** How many flows an attached namespace has now for each of these places, in their order; see `countLiveFlows`. */
  countFlows(namespace: string, places: readonly FlowPlace[]): Promise<readonly number[]>;
  /** How full connection tracking is in an attached namespace. */
  flowUsage(namespace: string): Promise<FlowUsage>;
  /** What connection tracking can do in an attached namespace. */
  conntrack(namespace: string): Promise<ConntrackAbilities>;
  /** Which tables of rules others have in an attached namespace: what programs can read there, without running any. */
  othersTables(namespace: string): Promise<OthersTables>;
  /** Settings of an attached namespace, by their paths below /proc/sys/net; those that it does not have are left out. */
  settings(namespace: string, paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Has the kernel trace packets in an attached namespace, those that the rules of this table mark, until `end`; the table
   * has a name that nothing else has there. What it tells is of every packet that anybody has it trace.
   */
  watchPackets(
    namespace: string,
    table: TableSource,
    onMessage: (message: TraceMessage) => void,
  ): Promise<{ end(): Promise<void> }>;
  /**
   * Runs a program in an attached namespace, without a shell, beside everything else: `argv` begins with its name, `input`
   * is what it reads. Whatever its exit code, its end is no error. After `within` ms (default: `LONGEST`) it is killed, with
   * all that it has started.
   */
  run(namespace: string, argv: readonly string[], input?: string, within?: number): Promise<ProgramResult>;
  /** After so many ms no program runs any more, also none that is started later: nothing waits for them longer. */
  endProgramsWithin(ms: number): void;
  /** Resolves once the worker gets to it. */
  ping(): Promise<void>;
  stop(): Promise<void>;
}
