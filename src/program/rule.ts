import type { Address } from '../model/address.ts';
import { type Cidr, sourcesOverlap } from '../model/cidr.ts';

import { type Forward, GATEWAY, isExpired } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { type PortRange, portsOverlap, samePorts } from '../model/port-range.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Gateways, ProtocolLimits } from '../model/router.ts';
import type { Problem } from '../model/status.ts';

/** One forward resolved to addresses: what a data plane has to do for it. */
export interface Rule {
  readonly forward: ForwardId;
  readonly protocol: Protocol;
  readonly external: Address;
  readonly externalPorts: PortRange;
  readonly internal: Address;
  readonly internalPorts: PortRange;
  /** Whose packets; empty: anyone's. */
  readonly sources: readonly Cidr[];
  /** When it ends by itself, as `printTime` gives it; null: never. */
  readonly expiresAt: string | null;
}

/** What of a forward decides where it leads. */
export type Leading = Pick<
  Forward,
  | 'id'
  | 'protocol'
  | 'externalAddress'
  | 'externalPorts'
  | 'internalAddress'
  | 'internalPorts'
  | 'sources'
  | 'enabled'
  | 'expiresAt'
>;

/** Everything one router has to do. No two rules of a program match the same packet. */
export type Program = ReadonlyMap<ForwardId, Rule>;

/**
 * The forward's rule in a router with these gateways and limits; a problem where it has none; null: none wanted, since
 * it is disabled or has expired at `now` (as `printTime` gives it; default: before all times).
 */
export function resolveForward(
  forward: Forward,
  gateways: Gateways,
  limits: ProtocolLimits = {},
  now = '',
): Rule | Problem | null {
  if (!forward.enabled || isExpired(forward, now)) return null;
  const limit = limits[forward.protocol];
  if (limit !== undefined) return { state: 'error', message: limit };
  const { family } = forward.internalAddress;
  const external = forward.externalAddress === GATEWAY ? gateways[family] : forward.externalAddress;
  if (external === undefined) {
    return { state: 'pending', message: `the router has no IPv${family} gateway address at present` };
  }
  return ruleAt(forward, external);
}

/** The rule that the forward is on this external address. */
export function ruleAt(forward: Leading, external: Address): Rule {
  return Object.freeze({
    forward: forward.id,
    protocol: forward.protocol,
    external,
    externalPorts: forward.externalPorts,
    internal: forward.internalAddress,
    internalPorts: forward.internalPorts,
    sources: forward.sources,
    expiresAt: forward.expiresAt,
  });
}

export function isRule(resolved: Rule | Problem | null): resolved is Rule {
  return resolved !== null && 'external' in resolved;
}

/** Whether some packet is matched by both. */
export function rulesOverlap(a: Rule, b: Rule): boolean {
  return (
    a.protocol === b.protocol &&
    a.external.text === b.external.text &&
    portsOverlap(a.externalPorts, b.externalPorts) &&
    sourcesOverlap(a.sources, b.sources)
  );
}

/** Whether both do the same for the same forward. */
export function sameRule(a: Rule, b: Rule): boolean {
  return (
    a.forward === b.forward &&
    a.protocol === b.protocol &&
    a.external.text === b.external.text &&
    samePorts(a.externalPorts, b.externalPorts) &&
    a.internal.text === b.internal.text &&
    samePorts(a.internalPorts, b.internalPorts) &&
    a.expiresAt === b.expiresAt &&
    a.sources.length === b.sources.length &&
    a.sources.every((source, index) => source.text === b.sources[index]?.text)
  );
}
