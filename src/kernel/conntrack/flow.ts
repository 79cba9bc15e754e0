import { type Address, addressValue, type Family } from '../../model/address.ts';
import type { AddressSpan } from '../../model/cidr.ts';
import { type PortRange, portCount } from '../../model/port-range.ts';
import { findAttribute } from '../netlink/netlink.ts';
import { AF, CTA, IP, PROTOCOL, TUPLE } from './nf-conntrack.ts';

/** A flow, as its first packet was and where it was sent; addresses as `rawAddress` gives them. */
export interface Flow {
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly target: string;
  readonly targetPort: number;
}

/**
 * What a message of connection tracking says of a flow. There can be a hundred thousand of them, and the thread does
 * nothing else meanwhile: so they are read in place, without an object for each attribute.
 */
export function readFlow(body: Buffer): Flow | undefined {
  const family = body[0] === AF[4] ? 4 : 6;
  const original = findAttribute(body, null, CTA.original);
  const reply = findAttribute(body, null, CTA.reply);
  if (original === undefined || reply === undefined) return undefined;
  return {
    protocol: readProtocol(body, original),
    source: readAddress(body, original, family, 'source'),
    destination: readAddress(body, original, family, 'destination'),
    port: readPort(body, original, PROTOCOL.destinationPort),
    target: readAddress(body, reply, family, 'source'),
    targetPort: readPort(body, reply, PROTOCOL.sourcePort),
  };
}

function readAddress(body: Buffer, tuple: number, family: Family, end: 'source' | 'destination'): string {
  const ip = findAttribute(body, tuple, TUPLE.ip);
  const at = ip && findAttribute(body, ip, IP[family][end]);
  return at === undefined ? '' : body.toString('hex', at, at + (family === 4 ? 4 : 16));
}

function readProtocol(body: Buffer, tuple: number): number {
  const protocol = findAttribute(body, tuple, TUPLE.protocol);
  const at = protocol && findAttribute(body, protocol, PROTOCOL.number);
  return (at && body[at]) ?? 0;
}

function readPort(body: Buffer, tuple: number, type: number): number {
  const protocol = findAttribute(body, tuple, TUPLE.protocol);
  const at = protocol && findAttribute(body, protocol, type);
  return at === undefined ? 0 : body.readUInt16BE(at);
}

/** Its bytes as hexadecimal digits. */
export function rawAddress(address: Address): string {
  return addressValue(address)
    .toString(16)
    .padStart(address.family === 4 ? 8 : 32, '0');
}

export function spanContains({ family, first, last }: AddressSpan, raw: string): boolean {
  if (raw.length !== (family === 4 ? 8 : 32)) return false;
  const value = BigInt(`0x${raw}`);
  return first <= value && value <= last;
}

/** What is about flows to some ports of an address. */
export interface AboutFlows {
  readonly protocol: number;
  readonly destination: Address;
  readonly ports: PortRange;
}

/** Finds the first that is about a flow, and meant. Single ports are looked up; only ranges are gone through. */
export function indexByFlow<Item extends AboutFlows>(
  items: readonly Item[],
): (flow: Flow, isMeant: (item: Item) => boolean) => Item | undefined {
  const [single, wide] = [new Map<string, Item[]>(), new Map<string, Item[]>()];
  for (const item of items) {
    const key = `${item.protocol} ${rawAddress(item.destination)}`;
    const [lists, name] = portCount(item.ports) === 1 ? [single, `${key} ${item.ports.first}`] : [wide, key];
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [item]);
    else list.push(item);
  }
  return (flow, isMeant) => {
    const key = `${flow.protocol} ${flow.destination}`;
    const isWithin = ({ ports: { first, last } }: Item) => first <= flow.port && flow.port <= last;
    return (
      single.get(`${key} ${flow.port}`)?.find(isMeant) ?? wide.get(key)?.find((item) => isWithin(item) && isMeant(item))
    );
  };
}
