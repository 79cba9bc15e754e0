import { type Address, parseAddress } from '../../model/address.ts';
import { HatobaError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import type { PortRange } from '../../model/port-range.ts';
import type { Protocol } from '../../model/protocol.ts';
import { badRequest, NeutronFault } from './faults.ts';
import { printValue } from './python-text.ts';

/**
 * What an attribute's value is read by. All give errors in Neutron's own words (neutron-lib, api/validators and
 * api/converters), of type `HTTPBadRequest` but for a protocol's.
 */
type Read<Value> = (value: unknown, attribute: string) => Value;

const LAST_PORT = 65535;
const LONGEST_DESCRIPTION = 1024;
const LONGEST_PROJECT = 255;

/** Protocols that have ports, and that Neutron has a name for. */
const FORWARDABLE: readonly Protocol[] = ['tcp', 'udp', 'sctp', 'dccp'];

/** What Neutron knows to be a protocol at all: of others it says something else (neutron-lib, IP_PROTOCOL_MAP). */
const PROTOCOL_NAMES =
  'ah dccp egp esp gre hopopt icmp icmpv6 igmp ip ipip ipv6-encap ipv6-frag ipv6-icmp ipv6-nonxt ipv6-opts ipv6-route ospf pgm rsvp sctp tcp udp udplite vrrp'.split(
    ' ',
  );

export function invalidInput(attribute: string, reason: string): NeutronFault {
  return badRequest(`Invalid input for ${attribute}. Reason: ${reason}.`);
}

/** `null` is as if it were not there. */
export const readPort: Read<PortRange | null> = (value, attribute) => {
  if (value === null) return null;
  const shown = `'${printValue(value)}'`;
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw invalidInput(attribute, `${shown} is not an integer`);
  if (value < 1) throw invalidInput(attribute, `${shown} is too small - must be at least '1'`);
  if (value > LAST_PORT) throw invalidInput(attribute, `${shown} is too large - must be no larger than '${LAST_PORT}'`);
  return Object.freeze({ first: value, last: value });
};

/** `"80"`, `"80:90"`; `null` is as if it were not there. */
export const readPorts: Read<PortRange | null> = (value, attribute) => {
  if (value === null) return null;
  const texts = printValue(value).split(':');
  if (texts.length > 2 || texts.includes('')) {
    throw invalidInput(attribute, 'Port range must be two integers separated by a colon');
  }
  const [first = 0, last = first] = texts.map((text) => readPortOfRange(text, attribute));
  if (first > last) {
    throw invalidInput(attribute, 'First port in a port range must be lower than the second port');
  }
  return Object.freeze({ first, last });
};

function readPortOfRange(text: string, attribute: string): number {
  const port = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > LAST_PORT) throw invalidInput(attribute, `Invalid port: ${text}`);
  if (port === 0) {
    throw invalidInput(attribute, `Invalid port: ${text}, the port must be in the range [1, ${LAST_PORT}]`);
  }
  return port;
}

export const readAddress: Read<Address> = (value, attribute) => {
  if (typeof value !== 'string') throw invalidInput(attribute, `'${printValue(value)}' is not a valid IP address`);
  try {
    return parseAddress(value);
  } catch (error) {
    if (!(error instanceof HatobaError)) throw error;
    const isNone = error.code === 'address_malformed' || error.code === 'address_not_dotted_quad';
    throw invalidInput(attribute, isNone ? `'${printValue(value)}' is not a valid IP address` : error.message);
  }
};

export const readProtocol: Read<Protocol> = (value, attribute) => {
  if (value !== null && typeof value !== 'string') {
    throw invalidOperation(`Input value ${printValue(value)} must be string type`);
  }
  const known = FORWARDABLE.find((protocol) => protocol === value);
  if (known !== undefined) return known;
  if (value !== null) refuseUnknownProtocol(value);
  throw invalidInput(attribute, `${printValue(value)} is not in valid_values`);
};

/** Error: `InvalidInput`, for what names no protocol, also as a filter, an empty one included. */
export function refuseUnknownProtocol(value: string): void {
  if (isProtocolAtAll(value.toLowerCase())) return;
  const reason = 'Only protocol names and their integer representation (0 to 255) are supported';
  throw invalidOperation(`IP protocol '${printValue(value)}' is not supported. ${reason}`);
}

function isProtocolAtAll(text: string): boolean {
  return PROTOCOL_NAMES.includes(text) || (/^\d{1,9}$/.test(text) && Number(text) <= 255);
}

function invalidOperation(reason: string): NeutronFault {
  return new NeutronFault('InvalidInput', `Invalid input for operation: ${reason}.`);
}

export const readUuid: Read<string> = (value, attribute) => {
  const uuid = typeof value === 'string' ? value.toLowerCase() : '';
  if (!isUuid(uuid)) throw invalidInput(attribute, `'${printValue(value)}' is not a valid UUID`);
  return uuid;
};

export const readDescription: Read<string> = (value, attribute) => readText(value, attribute, LONGEST_DESCRIPTION);

export const readProjectId: Read<string> = (value, attribute) => readText(value, attribute, LONGEST_PROJECT);

function readText(value: unknown, attribute: string, longest: number): string {
  if (typeof value !== 'string') throw invalidInput(attribute, `'${printValue(value)}' is not a valid string`);
  if (value.length > longest) {
    throw invalidInput(attribute, `'${printValue(value)}' exceeds maximum length of ${longest}`);
  }
  return value;
}

export const readFlag: Read<boolean> = (value, attribute) => {
  if (typeof value !== 'boolean') throw invalidInput(attribute, `'${printValue(value)}' is not a valid boolean value`);
  return value;
};

export const readTextOrNull: Read<string | null> = (value, attribute) => {
  return value === null ? null : readText(value, attribute, LONGEST_PROJECT);
};

export const readTexts: Read<readonly string[]> = (value, attribute) => {
  if (!Array.isArray(value)) throw invalidInput(attribute, `'${printValue(value)}' is not a list`);
  return value.map((item) => readText(item, attribute, LONGEST_PROJECT));
};
