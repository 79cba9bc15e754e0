import { type Address, sameAddress } from '../model/address.ts';
import { cidrContains } from '../model/cidr.ts';
import { innerPort } from '../model/port-range.ts';
import type { Protocol } from '../model/protocol.ts';
import type { Program, Rule } from './rule.ts';

/** The first packet of a flow, as it reaches the router. */
export interface Packet {
  readonly protocol: Protocol;
  readonly source: Address;
  readonly destination: Address;
  readonly port: number;
}

/** Where the packet goes: unchanged (`rule` null), or by a rule to that rule's target. */
export interface Trace {
  readonly rule: Rule | null;
  readonly destination: Address;
  readonly port: number;
}

/** What the program does to a packet, said without any kernel: the reference that data planes are tested against. */
export function trace(program: Program, packet: Packet): Trace {
  for (const rule of program.values()) {
    if (!matches(rule, packet)) continue;
    const { internal, externalPorts, internalPorts } = rule;
    return { rule, destination: internal, port: innerPort(externalPorts, internalPorts, packet.port) };
  }
  return { rule: null, destination: packet.destination, port: packet.port };
}

function matches(rule: Rule, packet: Packet): boolean {
  return (
    rule.protocol === packet.protocol &&
    sameAddress(rule.external, packet.destination) &&
    rule.externalPorts.first <= packet.port &&
    packet.port <= rule.externalPorts.last &&
    isAllowed(rule, packet.source)
  );
}

/** Whether one who may use it has that address. */
export function isAllowed({ sources }: Pick<Rule, 'sources'>, source: Address): boolean {
  return sources.length === 0 || sources.some((cidr) => cidrContains(cidr, source));
}
