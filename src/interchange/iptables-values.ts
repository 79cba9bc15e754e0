import { type Family, parseAnyAddress } from '../model/address.ts';
import { isProtocol, PROTOCOL_NUMBERS, type Protocol } from '../model/protocol.ts';
import { addressSpace, type Interval, type Intervals, intersect, subtract } from './intervals.ts';

/** `other`: one or more protocols without ports. */
export type Protocols = ReadonlySet<Protocol | 'other'>;

export const ALL_PORTS: Interval = Object.freeze({ first: 1n, last: 65_535n });
export const ALL_PROTOCOLS: Protocols = new Set([
  ...Object.keys(PROTOCOL_NUMBERS).filter(isProtocol),
  'other' as const,
]);

/** Names of protocols without ports that protocols(5) and iptables have, in lower case. */
const PORTLESS: ReadonlySet<string> = new Set(
  (
    'icmp igmp ggp ipencap st egp igp pup hmp xns-idp rdp iso-tp4 ddp idpr-cmtp ipv6 ipv6-route ipv6-frag idrp rsvp gre ' +
    'esp ah skip ipv6-icmp icmpv6 ipv6-nonxt ipv6-opts rspf vmtp eigrp ospf ospfigp ax.25 ipip etherip encap pim ipcomp ' +
    'vrrp l2tp isis fc mobility-header ipv6-mh mh mpls-in-ip manet hip shim6 wesp rohc ethernet'
  ).split(' '),
);

/** Ports of services as services(5) has them everywhere; of other names the file of the machine decides. */
const SERVICES: Readonly<Record<string, number>> = {
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  tftp: 69,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap: 143,
  imap2: 143,
  snmp: 161,
  ldap: 389,
  https: 443,
  submission: 587,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  openvpn: 1194,
  mysql: 3306,
  sip: 5060,
  postgresql: 5432,
};

/**
 * Reads a number as iptables does, by strtoul(3) with base 0: `80`, `0x50` and `0120` are the same. Null: it is none, or
 * larger than `most`.
 */
export function parseNumber(text: string, most: number): number | null {
  const [, hexadecimal, octal, decimal] = /^\+?(?:0x([\da-f]+)|(0[0-7]*)|([1-9]\d*))$/i.exec(text) ?? [];
  const [digits, base] =
    hexadecimal !== undefined ? [hexadecimal, 16] : octal !== undefined ? [octal, 8] : [decimal ?? '', 10];
  const number = Number.parseInt(digits, base);
  return number <= most ? number : null;
}

/**
 * The protocols that a name or number stands for, or all others; names count in any case, and `0`, `all` and `ip` mean all
 * (iptables 1.8, xtables_parse_protocol). Null: iptables may read it as some protocol, or refuses it.
 */
export function protocolsOf(text: string, isNegated: boolean): Protocols | null {
  const name = text.toLowerCase();
  const number = parseNumber(text, 255);
  if (name === 'all' || name === 'ip' || number === 0) return isNegated ? null : ALL_PROTOCOLS;
  const known = Object.entries(PROTOCOL_NUMBERS).find(([each, value]) => each === name || value === number)?.[0];
  if (known !== undefined && isProtocol(known)) {
    return isNegated ? ALL_PROTOCOLS.difference(new Set([known])) : new Set([known]);
  }
  if (number === null && !PORTLESS.has(name)) return null;
  // All protocols but one without ports are still more than those with ports.
  return isNegated ? ALL_PROTOCOLS : new Set(['other' as const]);
}

/**
 * Reads a port as the target DNAT does, also one that has a well-known name. Null: iptables refuses it, or only the machine's
 * services(5) tells.
 */
export function parsePortOrService(text: string): bigint | null {
  const number = parseNumber(text, 65_535) ?? (Object.hasOwn(SERVICES, text) ? SERVICES[text] : undefined);
  return number === undefined ? null : BigInt(number);
}

/** With a leading zero, the port is octal to the matches tcp, sctp and multiport, and decimal to udp and dccp (iptables 1.8.9). */
function parsePortOfMatch(text: string): bigint | null {
  const port = parsePortOrService(text);
  return /^\+?0\d/.test(text) && port !== BigInt(text.replace('+', '')) ? null : port;
}

/** Reads `80`, `80:90`, `:90`, `80:`, `80,443,1000:2000`; null: some part is none. */
export function portsOf(text: string): Intervals | null {
  const parts = text.split(',').map((part): Interval | null => {
    const [from = '', to = from, ...more] = part.split(':');
    const isRange = part.includes(':');
    const first = isRange && from === '' ? 0n : parsePortOfMatch(from);
    const last = isRange && to === '' ? 65_535n : parsePortOfMatch(to);
    return first === null || last === null || last < first || more.length > 0 ? null : { first, last };
  });
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length) return null;
  // Lists may overlap and come in any order.
  return known.reduce<Intervals>((all, part) => [...subtract(all, [part]), part], []);
}

/**
 * Reads `address`, `address/length`, `address/mask`, also with the last parts of an IPv4 network left out (`10/8`), or a list of
 * these, which stands for one rule for each. Null: one is neither, or has a mask with holes.
 */
export function networkOf(text: string, family: Family): Intervals | null {
  const parts = text.split(',').map((part) => oneNetworkOf(part, family));
  const known = parts.filter((part) => part !== null);
  if (known.length < parts.length) return null;
  return known.reduce<Intervals>((all, part) => [...subtract(all, part), ...part], []);
}

function oneNetworkOf(text: string, family: Family): Intervals | null {
  const [written = '', mask] = text.split('/');
  const isShort = family === 4 && mask !== undefined && /^\d+(?:\.\d+){0,2}$/.test(written);
  const value = addressOrNull(isShort ? [...written.split('.'), '0', '0', '0'].slice(0, 4).join('.') : written, family);
  const space = addressSpace(family);
  const width = family === 4 ? 32 : 128;
  const length =
    mask === undefined ? width : (parseNumber(mask, width) ?? lengthOf(addressOrNull(mask, family), width));
  if (value === null || length === null) return null;
  const size = 1n << BigInt(width - length);
  const first = value - (value % size);
  return intersect([{ first, last: first + size - 1n }], [space]);
}

function lengthOf(mask: bigint | null, width: number): number | null {
  if (mask === null) return null;
  const zeros = Array.from({ length: width + 1 }, (_, bits) => bits).find((bits) => {
    return mask === (1n << BigInt(width)) - (1n << BigInt(bits));
  });
  return zeros === undefined ? null : width - zeros;
}

/** Reads `first-last`, or one address. */
export function addressRange(text: string, family: Family): Intervals | null {
  const [from, to = from, ...more] = text.split('-').map((address) => addressOrNull(address, family));
  return from === undefined || from === null || to === undefined || to === null || to < from || more.length > 0
    ? null
    : [{ first: from, last: to }];
}

export function addressOrNull(text: string, family: Family): bigint | null {
  try {
    const address = parseAnyAddress(text);
    return address.family === family ? address.value : null;
  } catch {
    return null;
  }
}
