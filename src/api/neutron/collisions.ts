import { sameAddress } from '../../model/address.ts';
import { sourcesOverlap } from '../../model/cidr.ts';
import type { ForwardSpec } from '../../model/forward.ts';
import { type PortRange, portCount, portsOverlap, samePorts } from '../../model/port-range.ts';
import { badForwarding } from './faults.ts';
import { isAt } from './forwarding-spec.ts';
import { printLiteral } from './python-text.ts';
import type { GatewayIp } from './topology.ts';

/** `80:90`, also for a single port: `80:80`. */
export function printRange({ first, last }: PortRange): string {
  return `${first}:${last}`;
}

/**
 * Neutron lets each port of an instance be published once for a protocol, which hatoba does not ask for, and each port of a
 * floating IP be used once. Where sources are disjoint, nothing collides. What is not new in `wanted` is not looked at:
 * forwards that came about otherwise can still be changed in all other respects. `others`: of the same router, without
 * the one that is changed. Error: `BadRequest`.
 */
export function refuseCollisions(
  gateway: GatewayIp,
  wanted: ForwardSpec,
  before: ForwardSpec | null,
  others: Iterable<ForwardSpec>,
): void {
  const isInsideNew = before === null || !sameInside(before, wanted);
  const isOutsideNew = before === null || !sameOutside(before, wanted);
  let outside: ForwardSpec | null = null;
  for (const other of others) {
    if (isInsideNew && portsOverlap(other.internalPorts, wanted.internalPorts)) {
      const isSame = sameTarget(other, wanted) && isRival(other, wanted);
      if (isSame) throw collision('internal', other.internalPorts, wanted.internalPorts);
    }
    if (isOutsideNew && portsOverlap(other.externalPorts, wanted.externalPorts)) {
      if (isRival(other, wanted) && isAt(gateway, other)) outside ??= other;
    }
  }
  if (outside === null) return;
  const isOnePort = portCount(wanted.externalPorts) === 1 && samePorts(outside.externalPorts, wanted.externalPorts);
  if (before !== null && isOnePort) throw duplicate(gateway, wanted.externalPorts);
  throw collision('external', outside.externalPorts, wanted.externalPorts);
}

function isRival(a: ForwardSpec, b: ForwardSpec): boolean {
  return a.protocol === b.protocol && sourcesOverlap(a.sources, b.sources);
}

/** For ports that somebody has of whom nothing may be told. */
export function portsTaken(ports: PortRange): Error {
  return badForwarding(`There is a port collision with the external_port_range. ${printRange(ports)} is not free`);
}

function sameInside(a: ForwardSpec, b: ForwardSpec): boolean {
  return (
    a.protocol === b.protocol && sameTarget(a, b) && samePorts(a.internalPorts, b.internalPorts) && sameSources(a, b)
  );
}

function sameOutside(a: ForwardSpec, b: ForwardSpec): boolean {
  return a.protocol === b.protocol && samePorts(a.externalPorts, b.externalPorts) && sameSources(a, b);
}

function sameTarget(a: ForwardSpec, b: ForwardSpec): boolean {
  return sameAddress(a.internalAddress, b.internalAddress);
}

function sameSources(a: ForwardSpec, b: ForwardSpec): boolean {
  return a.sources.map(({ text }) => text).join() === b.sources.map(({ text }) => text).join();
}

/** What a change is told that wants just the port that another has. */
function duplicate({ address }: GatewayIp, { first }: PortRange): Error {
  const values = printLiteral({ floating_ip_address: address.text, external_port: first });
  return badForwarding(
    `Another port forwarding entry with the same attributes already exists, conflicting values are ${values}`,
  );
}

function collision(side: 'internal' | 'external', there: PortRange, here: PortRange): Error {
  return badForwarding(
    `There is a port collision with the ${side}_port_range. ` +
      `The following ranges collides: ${printRange(there)} and ${printRange(here)}`,
  );
}
