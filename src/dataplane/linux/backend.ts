import type { FlowChange } from '../../kernel/conntrack/stale-flows.ts';
import type { EndedFlows, IptablesState, Kernel } from '../../kernel/kernel.ts';
import type { TableChange } from '../../kernel/nft/nft-batch.ts';
import type { ElementCounter } from '../../kernel/nft/nft-counters.ts';
import type { TableState } from '../../kernel/nft/nft-table.ts';
import type { ProgramResult } from '../../kernel/program.ts';
import type { Counters } from '../../model/counters.ts';
import { hatobaError } from '../../model/errors.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { Change } from '../../program/diff.ts';
import type { Program, Rule } from '../../program/rule.ts';
import type { Farewell } from '../dataplane.ts';
import type { InsideInterface } from './inside-interfaces.ts';

/** What a namespace can be programmed by; docs/backends.md says what each can do. */
export const BACKENDS = ['nftables', 'iptables'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** What there is of ours in a namespace, whoever of the backends has put it there. */
export interface Found {
  readonly table: TableState | null;
  readonly iptables: IptablesState;
}

/** One backend in one namespace. `inside`: where what comes in and leaves again would be answered past the router. */
export interface Backend {
  /** Corrects what was found, and gives how much was not as it should be. */
  synchronise(found: Found, program: Program, inside: readonly InsideInterface[], farewell: Farewell): Promise<number>;
  /** All of it or nothing, and `kernel_refused` where it does not fit what is there. */
  apply(change: Change, inside: readonly InsideInterface[], draining: Farewell['draining']): Promise<void>;
  counters(forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, Counters>>;
  /** The rules of these forwards, as they were found of its own. */
  storedRules(found: Found, isMeant: (forward: ForwardId) => boolean): Promise<readonly Rule[]>;
  /** Takes away what was found of its own; flows go on that go where the rules that `stay` lead them, or are draining. */
  remove(found: Found, stay: Iterable<Rule>, draining: Farewell['draining']): Promise<void>;
  /** Something has changed there; true: by somebody else. Where that is not known yet, `onDisturbed` tells. */
  disturbed(): boolean;
}

/** What a backend has around it. */
export interface BackendSurroundings {
  readonly kernel: NamespaceKernel;
  /** Somebody else may have changed what this one has written. */
  readonly onDisturbed: () => void;
  /** Flows that ought to have been ended could not be. */
  readonly onFlowsLeft: (reason: string) => void;
}

/** The kernel's calls about one namespace. */
export interface NamespaceKernel {
  readonly namespace: string;
  readonly fingerprint: string;
  change(change: TableChange | null, flows: FlowChange): Promise<EndedFlows>;
  readIptables(): Promise<IptablesState>;
  endFlows(flows: FlowChange): Promise<EndedFlows>;
  readCounters(comment: string | null): Promise<readonly ElementCounter[]>;
  run(argv: readonly string[], input?: string, within?: number): Promise<ProgramResult>;
}

/** `isPresent`: whether the name still leads to the namespace that is meant. If not, calls end with `namespace_gone`. */
export function bindKernel(kernel: Kernel, namespace: string, isPresent: () => boolean): NamespaceKernel {
  const there = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (!isPresent()) throw hatobaError('namespace_gone', { namespace });
    return call();
  };
  return {
    namespace,
    fingerprint: kernel.fingerprint,
    change: (change, flows) => there(() => kernel.change(namespace, change, flows)),
    readIptables: () => there(() => kernel.readIptables(namespace)),
    endFlows: (flows) => there(() => kernel.endFlows(namespace, flows)),
    readCounters: (comment) => there(() => kernel.readCounters(namespace, comment)),
    run: (argv, input, within) => there(() => kernel.run(namespace, argv, input, within)),
  };
}

/**
 * What of the program may lead flows that rules which are gone have led. Where a change was written and something failed
 * behind it, the next attempt finds it written already: so what has come is not only what is still to be written.
 */
export function successors(program: Program, gone: readonly Rule[]): readonly Rule[] {
  const places = new Set(gone.map(({ external }) => external.text));
  return places.size === 0 ? [] : [...program.values()].filter(({ external }) => places.has(external.text));
}

/** Tells of flows that were not ended. */
export function tellFlowsLeft({ failure }: EndedFlows, { onFlowsLeft }: BackendSurroundings): void {
  if (failure !== null) onFlowsLeft(failure);
}
