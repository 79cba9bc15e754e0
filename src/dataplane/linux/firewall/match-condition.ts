import type { Intervals } from '../../../interchange/intervals.ts';
import { anyPacket, type Match } from '../../../interchange/iptables-rule.ts';
import type { Family } from '../../../model/address.ts';
import { all, type Condition, exactly, isAmong, type Truth, truthOf } from './passing-packet.ts';

/** Whether a packet of this family is one that the match is for. Only what it narrows is looked at. */
export function matchCondition(match: Match, family: Family): Condition {
  const any = anyPacket(family);
  const { protocols, sources, destinations, ports, unclear } = match;
  const conditions: Condition[] = [];
  if (protocols !== any.protocols) conditions.push(({ protocol }) => truthOf(protocols.has(protocol)));
  if (!isSame(sources, any.sources)) conditions.push(({ source }) => isAmong(source, sources));
  if (!isSame(destinations, any.destinations)) conditions.push(({ destination }) => isAmong(destination, destinations));
  if (!isSame(ports, any.ports)) conditions.push(({ destinationPort }) => portWithin(destinationPort, ports));
  if (unclear.length > 0) conditions.push(() => 'maybe');
  return all(conditions);
}

function isSame(a: Intervals, b: Intervals): boolean {
  return a.length === b.length && a.every(({ first, last }, at) => first === b[at]?.first && last === b[at]?.last);
}

/** Clients take their ports from there (RFC 6335, section 6; Linux: net.ipv4.ip_local_port_range begins at 32768). */
const CLIENT_PORTS: Intervals = [{ first: 32_768n, last: 65_535n }];

/** `port` null: that of a client. */
export function portWithin(port: number | null, ports: Intervals): Truth {
  return isAmong(port === null ? CLIENT_PORTS : exactly(BigInt(port)), ports);
}
