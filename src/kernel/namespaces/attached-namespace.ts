import { closeSync } from 'node:fs';
import { hatobaError } from '../../model/errors.ts';
import type { FlowUsage } from '../../model/flow-usage.ts';
import { type ConntrackAbilities, readConntrackAbilities } from '../conntrack/abilities.ts';
import { readFlowUsage } from '../conntrack/ctnetlink.ts';
import { countLiveFlows, type FlowPlace } from '../conntrack/live-flows.ts';
import { endStaleFlows, type FlowChange } from '../conntrack/stale-flows.ts';
import type { AttachOptions, IptablesState, Links, NamespaceState } from '../kernel.ts';
import { drain, EPOLLIN, openNetlink, SystemCallError } from '../libc.ts';
import { messages, NETLINK_NETFILTER, NETLINK_ROUTE, sendAll } from '../netlink/netlink.ts';
import {
  isLater,
  NFNLGRP_NFTABLES,
  NFPROTO,
  NFPROTO_INET,
  type RulesetObject,
  readConsistently,
  readGeneration,
  rulesetEvent,
} from '../netlink/nfnetlink.ts';
import { LINK_AND_ADDRESS_GROUPS } from '../netlink/rtnetlink.ts';
import { findLegacyChains, findNftChains, NAT, type NatTable } from '../nft/iptables-chains.ts';
import { batchOf, type TableChange } from '../nft/nft-batch.ts';
import type { TableSource } from '../nft/nft-compile.ts';
import { type ElementCounter, readCounters } from '../nft/nft-counters.ts';
import { readTable, type TableState } from '../nft/nft-table.ts';
import type { TraceMessage } from '../nft/nft-trace.ts';
import { type OthersTables, readLegacyTables, readNftTables } from '../nft/others-tables.ts';
import { openPacketWatch, type PacketWatch } from '../nft/packet-watch.ts';
import { ROUTE_GROUPS, subjectOf } from '../routes/default-routes.ts';
import { createLinkReader } from '../routes/links.ts';
import { readSettings } from '../settings.ts';
import type { Surroundings } from '../surroundings.ts';
import { openNamespace } from './thread-namespace.ts';

/** A network namespace that is kept open, with sockets in it that tell what changes. */
export interface AttachedNamespace {
  /** As it was when it was attached. */
  readonly first: NamespaceState;
  /** Error: `kernel_refused`. */
  change(change: TableChange): void;
  readTable(): TableState | null;
  readIptables(): IptablesState;
  /** How many there were. */
  endStaleFlows(change: FlowChange): number;
  readCounters(comment: string | null): readonly ElementCounter[];
  /** See `countLiveFlows`. In a namespace without flows it costs one look. */
  countFlows(places: readonly FlowPlace[]): readonly number[];
  flowUsage(): FlowUsage;
  conntrack(): ConntrackAbilities;
  othersTables(): OthersTables;
  /** See `readSettings`. */
  settings(paths: readonly string[]): ReadonlyMap<string, string>;
  /** See `openPacketWatch`; closed with the namespace at the latest. */
  watchPackets(source: TableSource, onMessage: (message: TraceMessage) => void): PacketWatch;
  /** Another descriptor of the namespace, which the caller closes. */
  duplicate(): number;
  close(): void;
}

/** Of a ruleset that was never changed (net/netfilter/nf_tables_api.c, nf_tables_init_net). */
const FIRST_GENERATION = 1;

/** Takes over the descriptor `fd` of the namespace. */
export function attachNamespace(
  namespace: string,
  fd: number,
  { defaultRoutes = false, natTables = false }: AttachOptions,
  around: Surroundings,
): AttachedNamespace {
  const { thread, blueprint, hasNftables, natChains, emit } = around;
  const opened = [fd];
  const open = (protocol: number, groups?: readonly number[]) => {
    const socket = openNetlink(protocol, groups);
    opened.push(socket);
    return socket;
  };
  // What is told is not heard by the sockets that ask: it would be lost among the answers, or crowd them out.
  const { routeEvents, routes, rulesetEvents, rulesets } = orClose(() =>
    thread.inside(fd, () => ({
      routeEvents: open(NETLINK_ROUTE, [...LINK_AND_ADDRESS_GROUPS, ...(defaultRoutes ? ROUTE_GROUPS : [])]),
      routes: open(NETLINK_ROUTE),
      rulesetEvents: open(NETLINK_NETFILTER, [NFNLGRP_NFTABLES]),
      rulesets: open(NETLINK_NETFILTER),
    })),
  );
  const reader = createLinkReader(routes, defaultRoutes);
  /** Whatever happened up to this generation of the ruleset is known, or was reported. */
  let known = 0;
  let reported = false;
  /** Whether others' rules have changed since they were last asked for; nobody has before that. */
  let othersTold = true;
  /** Whether what is watched is in the transaction that is being told; its end may come with the next datagrams. */
  let touched = false;
  const first = orClose(() => ({
    ...readLinksAtRest(),
    table: readOwnTable(),
    iptables: { tables: findNatTables(known), generation: known },
  }));
  around.watch(routeEvents, EPOLLIN, onRouteEvents);
  around.watch(rulesetEvents, EPOLLIN, onRulesetEvents);
  const watches = new Set<PacketWatch>();
  const conntrack = () => thread.inside(fd, readConntrackAbilities);
  const endStale = (flows: FlowChange) => endStaleFlows(rulesets, flows);
  const countersOf = (comment: string | null) => readCounters(rulesets, blueprint.name, comment);
  return {
    first,
    change,
    readTable: readOwnTable,
    readIptables,
    endStaleFlows: endStale,
    readCounters: countersOf,
    countFlows: (places) => countLiveFlows(rulesets, places),
    flowUsage: () => readFlowUsage(rulesets),
    conntrack,
    othersTables,
    settings: (paths) => thread.inside(fd, () => readSettings(paths)),
    watchPackets,
    duplicate,
    close,
  };

  function orClose<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      for (const each of opened) closeSync(each);
      throw error;
    }
  }

  /** Without its interfaces a namespace would seem to have no gateway, and lose every forward. */
  function readLinksAtRest(): Links {
    const links = reader.read({ routes: true, interfaces: new Set() });
    if (links === undefined) throw new SystemCallError('reading interfaces that never rest', 'EAGAIN');
    return links;
  }

  function onRouteEvents(): void {
    const interfaces = new Set<number>();
    let routeTold = false;
    const complete = drain(routeEvents, (data) => {
      if (!defaultRoutes) return;
      for (const message of messages(data)) {
        const subject = subjectOf(message);
        if (subject.kind === 'link') interfaces.add(subject.interface);
        routeTold ||= subject.kind === 'default route';
      }
    });
    if (defaultRoutes && complete && interfaces.size === 0 && !routeTold) return;
    const links = reader.read({ routes: !complete || routeTold, interfaces });
    if (links !== undefined) emit({ kind: 'interfaces', namespace, ...links });
  }

  function onRulesetEvents(): void {
    const complete = drain(rulesetEvents, (data) => {
      for (const message of messages(data)) {
        const event = rulesetEvent(message);
        if (event?.kind === 'object') {
          touched ||= isWatched(event);
          if (isOthers(event)) tellOthers();
        }
        if (event?.kind !== 'generation') continue;
        if (isLater(event.generation, known)) {
          known = event.generation;
          if (touched) disturbed();
        }
        touched = false;
      }
    });
    if (complete) return;
    disturbed();
    tellOthers();
  }

  function isOurTable({ family, table }: RulesetObject): boolean {
    return family === NFPROTO_INET && table === blueprint.name;
  }

  function isNatTable({ family, table }: RulesetObject): boolean {
    return table === NAT && (family === NFPROTO[4] || family === NFPROTO[6]);
  }

  function isWatched(event: RulesetObject): boolean {
    return isOurTable(event) || (natTables && isNatTable(event));
  }

  /** Not what is ours, not even where a program has written it for us, nor what is in sets. */
  function isOthers(event: RulesetObject): boolean {
    if (isOurTable(event) || event.isElement) return false;
    return !(event.chain !== null && natChains.includes(event.chain) && isNatTable(event));
  }

  function disturbed(): void {
    if (reported) return;
    reported = true;
    emit({ kind: 'disturbed', namespace });
  }

  function tellOthers(): void {
    if (othersTold) return;
    othersTold = true;
    emit({ kind: 'others', namespace });
  }

  /**
   * A transaction raises the generation by exactly one, and is told before it returns. So when all that was told is
   * read before ours, and ours raises it by one, nobody else's is among the messages that are thrown away unread.
   */
  function change(wanted: TableChange): void {
    const batch = batchOf(wanted, blueprint);
    onRulesetEvents();
    reported = false;
    const before = known;
    const refusal = sendAll(rulesets, batch.data);
    if (refusal !== undefined) {
      const reason = `${batch.describe(refusal.sequence)}: ${refusal.errno}`;
      throw hatobaError('kernel_refused', { namespace, reason });
    }
    // In this order: what is told after the generation was read stays to be read.
    drain(rulesetEvents);
    touched = false;
    known = readGeneration(rulesets);
    if (known === (before + 1) % 0x1_0000_0000) return;
    disturbed();
    tellOthers();
  }

  function readOwnTable(): TableState | null {
    if (!hasNftables) return null;
    reported = false;
    const { generation, value } = readConsistently(rulesets, () => readTable(rulesets, blueprint.name));
    // What was told and not read yet may be about other tables that are watched.
    if (!natTables || known === 0) known = generation;
    return value;
  }

  function readIptables(): IptablesState {
    onRulesetEvents();
    reported = false;
    const generation = hasNftables ? readGeneration(rulesets) : 0;
    return { tables: findNatTables(generation), generation };
  }

  function findNatTables(generation: number): readonly NatTable[] {
    const legacy = thread.inside(fd, () => findLegacyChains(natChains));
    // Nobody has made a table there yet: so it is in most namespaces right after the machine has started.
    if (generation === FIRST_GENERATION) return legacy;
    return hasNftables ? [...findNftChains(rulesets, natChains), ...legacy] : legacy;
  }

  function othersTables(): OthersTables {
    othersTold = false;
    return {
      nft: hasNftables ? readConsistently(rulesets, () => readNftTables(rulesets, blueprint.name)).value : [],
      legacy: thread.inside(fd, readLegacyTables),
    };
  }

  function duplicate(): number {
    const copy = openNamespace(`/proc/self/fd/${fd}`);
    if (copy === undefined) throw hatobaError('namespace_gone', { namespace });
    return copy;
  }

  function watchPackets(source: TableSource, onMessage: (message: TraceMessage) => void): PacketWatch {
    const opened = openPacketWatch(namespace, fd, source, around, onMessage);
    watches.add(opened);
    return {
      close() {
        opened.close();
        watches.delete(opened);
      },
    };
  }

  function close(): void {
    for (const each of watches) each.close();
    around.unwatch(routeEvents);
    around.unwatch(rulesetEvents);
    for (const each of opened) closeSync(each);
  }
}
