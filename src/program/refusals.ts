import { sameAddress } from '../model/address.ts';
import { type Forward, isExpired } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { portCount, printPortRange } from '../model/port-range.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import { isRule, type Program, type Rule, resolveForward, rulesOverlap } from './rule.ts';
import { isAllowed, type Packet } from './trace.ts';

/** Why a forward does not take a packet: first what it is about the forward itself, then what it is about the packet. */
export const REFUSAL_REASONS = [
  'disabled',
  'expired',
  'waiting',
  'pending',
  'displaced',
  'source',
  'protocol',
  'address',
  'port',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface Refusal {
  readonly reason: RefusalReason;
  /** A clause about the forward: "it is for port 5001". */
  readonly message: string;
}

/** What is wanted of a router, and what is known of it. */
export interface RouterView {
  readonly router: RouterId;
  readonly forwards: ReadonlyMap<ForwardId, Forward>;
  /** One for each node that has it. */
  readonly statuses: readonly RouterStatus[];
  readonly gateways: Gateways;
  /** What has expired by then is not wanted, as `printTime` gives it. */
  readonly now: string;
}

/** Empty: the forward takes the packet. `program`: what `resolve` makes of the view. In the order of `REFUSAL_REASONS`. */
export function reasonsOf(
  forward: Forward,
  packet: Packet,
  view: RouterView,
  program: Program,
): readonly RefusalReason[] {
  const { enabled, externalPorts, internalAddress, protocol } = forward;
  const rule = ruleIfWanted(forward, view.gateways);
  const hasExpired = isExpired(forward, view.now);
  const holds: Readonly<Record<RefusalReason, boolean>> = {
    disabled: !enabled,
    expired: hasExpired,
    waiting: rule === null && view.statuses.length === 0,
    pending: rule === null && view.statuses.length > 0,
    displaced: rule !== null && enabled && !hasExpired && !program.has(forward.id),
    source: !isAllowed(forward, packet.source),
    protocol: protocol !== packet.protocol,
    address:
      rule === null
        ? internalAddress.family !== packet.destination.family
        : !sameAddress(rule.external, packet.destination),
    port: packet.port < externalPorts.first || externalPorts.last < packet.port,
  };
  return REFUSAL_REASONS.filter((reason) => holds[reason]);
}

/** Whether the reason is about the packet: another packet would have been taken. */
export function isAboutPacket(reason: RefusalReason): boolean {
  return reason === 'source' || reason === 'protocol' || reason === 'address' || reason === 'port';
}

/** The reason in words that quote what the forward wants. */
export function describeRefusal(
  reason: RefusalReason,
  forward: Forward,
  packet: Packet,
  view: RouterView,
  program: Program,
): string {
  const { family } = forward.internalAddress;
  const rule = ruleIfWanted(forward, view.gateways);
  const messages: Readonly<Record<RefusalReason, () => string>> = {
    disabled: () => 'it is disabled',
    expired: () => `it expired at ${forward.expiresAt}`,
    waiting: () => `no node has the router ${view.router} yet`,
    pending: () => `the router has no IPv${family} gateway address at present`,
    displaced: () => `it lost its port to the older forward ${rule === null ? '' : nameOfOlder(rule, view, program)}`,
    source: () => `${packet.source.text} is not among its sources ${listSources(forward)}`,
    protocol: () => `it is for ${forward.protocol}`,
    address: () => `it is for ${rule === null ? `an IPv${family} address` : rule.external.text}`,
    port: () =>
      `it is for port${portCount(forward.externalPorts) > 1 ? 's' : ''} ${printPortRange(forward.externalPorts)}`,
  };
  return messages[reason]();
}

/** Its rule as if it were enabled and had not expired; null: the router lacks the address. */
function ruleIfWanted(forward: Forward, gateways: Gateways): Rule | null {
  const resolved = resolveForward({ ...forward, enabled: true, expiresAt: null }, gateways);
  return isRule(resolved) ? resolved : null;
}

function nameOfOlder(rule: Rule, { forwards }: RouterView, program: Program): string {
  const older = [...program.values()].find((other) => rulesOverlap(other, rule));
  return older === undefined ? '' : (forwards.get(older.forward)?.name ?? older.forward);
}

/** Enough for a line. */
const MOST_SOURCES = 3;

function listSources({ sources }: Forward): string {
  const first = sources.slice(0, MOST_SOURCES).map(({ text }) => text);
  const more = sources.length - first.length;
  return more === 0 ? first.join(', ') : `${first.join(', ')} and ${more} more`;
}
