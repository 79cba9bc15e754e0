import type { Address } from '../model/address.ts';
import { type Forward, GATEWAY } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { PortRange } from '../model/port-range.ts';
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
}

/** Everything one router has to do. No two rules of a program match the same packet. */
export type Program = ReadonlyMap<ForwardId, Rule>;

/** The forward's rule in a router with these gateways and limits; a problem where it has none; null: none wanted. */
export function resolveForward(
  forward: Forward,
  gateways: Gateways,
  limits: ProtocolLimits = {},
): Rule | Problem | null {
  if (!forward.enabled) return null;
  const limit = limits[forward.protocol];
  if (limit !== undefined) return { state: 'error', message: limit };
  const { family } = forward.internalAddress;
  const external = forward.externalAddress === GATEWAY ? gateways[family] : forward.externalAddress;
  if (external === undefined) {
    return { state: 'pending', message: `the router has no IPv${family} gateway address at present` };
  }
  return Object.freeze({
    forward: forward.id,
    protocol: forward.protocol,
    external,
    externalPorts: forward.externalPorts,
    internal: forward.internalAddress,
    internalPorts: forward.internalPorts,
  });
}

export function isRule(resolved: Rule | Problem | null): resolved is Rule {
  return resolved !== null && 'external' in resolved;
}

/** What two rules that match the same packet have in common, as long as rules are of one port each. */
export function matchOf(rule: Rule): string {
  return `${rule.protocol} ${rule.external.text} ${rule.externalPorts.first}`;
}

/** Whether both do the same for the same forward. */
export function sameRule(a: Rule, b: Rule): boolean {
  return (
    a.forward === b.forward &&
    matchOf(a) === matchOf(b) &&
    a.externalPorts.last === b.externalPorts.last &&
    a.internal.text === b.internal.text &&
    a.internalPorts.first === b.internalPorts.first &&
    a.internalPorts.last === b.internalPorts.last
  );
}
