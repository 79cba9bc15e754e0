import type { ErrorCode } from '../model/error-catalogue.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ConntrackAbilities } from './conntrack/abilities.ts';
import type { FlowPlace } from './conntrack/live-flows.ts';
import type { FlowChange } from './conntrack/stale-flows.ts';
import type { AttachOptions, EndedFlows, KernelEvent, KernelOptions, NamespaceState } from './kernel.ts';
import type { NftDriverName } from './nft/nft.ts';
import type { TableChange } from './nft/nft-batch.ts';
import type { TableSource } from './nft/nft-compile.ts';
import type { ElementCounter } from './nft/nft-counters.ts';
import type { TraceMessage } from './nft/nft-trace.ts';
import type { OthersTables } from './nft/others-tables.ts';

export interface WorkerOptions extends KernelOptions {
  /** The event counter that wakes the worker when there is a request. */
  readonly wake: number;
}

/** What the worker is asked to do. */
export type Request =
  | { readonly call: 'attach'; readonly namespace: string; readonly options: AttachOptions }
  | {
      readonly call: 'detach' | 'readTable' | 'readIptables' | 'conntrack' | 'flowUsage' | 'othersTables' | 'duplicate';
      readonly namespace: string;
    }
  | { readonly call: 'endFlows'; readonly namespace: string; readonly flows: FlowChange }
  | { readonly call: 'settings'; readonly namespace: string; readonly paths: readonly string[] }
  | { readonly call: 'readCounters'; readonly namespace: string; readonly comment: string | null }
  | { readonly call: 'countFlows'; readonly namespace: string; readonly places: readonly FlowPlace[] }
  | {
      readonly call: 'change';
      readonly namespace: string;
      readonly change: TableChange | null;
      readonly flows: FlowChange;
    }
  | {
      readonly call: 'watchPackets';
      readonly namespace: string;
      /** A number that whoever asks has given it. */
      readonly watch: number;
      readonly table: TableSource;
    }
  | { readonly call: 'unwatchPackets'; readonly watch: number }
  | { readonly call: 'watch' | 'ping' | 'stop' };

export interface ToWorker {
  readonly id: number;
  readonly request: Request;
}

/** What a call gives; calls fill in what they are there for. */
export interface Answer extends NamespaceState {
  readonly conntrack: ConntrackAbilities;
  readonly flows: EndedFlows;
  readonly counters: readonly ElementCounter[];
  readonly flowCounts: readonly number[];
  readonly flowUsage: FlowUsage;
  readonly othersTables: OthersTables;
  readonly settings: ReadonlyMap<string, string>;
  /** A descriptor of the namespace, for whoever asked to close; -1: none. */
  readonly descriptor: number;
}

/** An error as it crosses the border between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export type FromWorker =
  | { readonly kind: 'started'; readonly driver: NftDriverName | null; readonly fingerprint: string }
  | { readonly kind: 'event'; readonly event: KernelEvent }
  | { readonly kind: 'traced'; readonly watch: number; readonly message: TraceMessage }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly id: number; readonly error: Failure };
