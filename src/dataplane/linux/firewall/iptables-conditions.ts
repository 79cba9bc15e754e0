import type { Option } from '../../../interchange/iptables-options.ts';
import { anyPacket, readCondition } from '../../../interchange/iptables-rule.ts';
import { networkOf, portsOf } from '../../../interchange/iptables-values.ts';
import { addressValue, type Family } from '../../../model/address.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import { type Bits, maskBits } from './bits.ts';
import { matchCondition, portWithin } from './match-condition.ts';
import {
  bitsAre,
  type Condition,
  exactly,
  isAmong,
  not,
  type PassingPacket,
  some,
  type Truth,
  truthOf,
} from './passing-packet.ts';

/** What the options of a rule before its target demand, one condition each. */
export function conditionsOf(options: readonly Option[], family: Family): readonly Condition[] {
  let module = '';
  return options.map((option) => {
    if (option.name === '-m' || option.name === '--match') module = option.values[0] ?? '';
    return conditionOf(option, module, family);
  });
}

/** `module`: the last one named, for options of the same name. */
function conditionOf(option: Option, module: string, family: Family): Condition {
  const known = readKnown(option, module, family);
  if (known !== null) return option.isNegated ? (packet) => not(known(packet)) : known;
  const match = readCondition(option, anyPacket(family), { family, outside: [] });
  return match === null ? () => 'maybe' : matchCondition(match, family);
}

/** Conditions that only a packet on its way through a router has; `null`: none of them. */
function readKnown({ name, values }: Option, module: string, family: Family): Condition | null {
  const [value = '', second = ''] = values;
  switch (name) {
    case '-i':
    case '--in-interface':
      return ({ from }) => interfaceIs(from, value);
    case '-o':
    case '--out-interface':
      return ({ to }) => interfaceIs(to, value);
    case '--sport':
    case '--sports':
    case '--source-port':
    case '--source-ports': {
      const ports = portsOf(value);
      return ports && (({ sourcePort }) => portWithin(sourcePort, ports));
    }
    case '--state':
    case '--ctstate':
      return (packet) => some(value.split(',').map((state) => isInState(packet, state)));
    case '--ctdir':
      return tracked(({ direction }) => truthOf((value === 'ORIGINAL') === (direction === 'request')));
    case '--ctproto':
      return tracked(({ protocol }) => truthOf([protocol, String(PROTOCOL_NUMBERS[protocol])].includes(value)));
    case '--ctorigdst': {
      const network = networkOf(value, family);
      return network && tracked(({ asked }) => isAmong(exactly(addressValue(asked.address)), network));
    }
    case '--ctorigdstport': {
      const ports = portsOf(value);
      return ports && tracked(({ asked }) => portWithin(asked.port, ports));
    }
    case '--mark':
      return module === 'connmark'
        ? tracked(({ connection }) => (connection === null ? 'no' : marksAre(connection.mark, value)))
        : ({ mark }) => marksAre(mark, value);
    case '--syn':
      return ({ tcpFlags }) => bitsAre(tcpFlags, TCP_FLAGS.SYN, SYN_MASK);
    case '--tcp-flags': {
      const [mask, wanted] = [flagBits(value), flagBits(second)];
      return mask === null || wanted === null ? null : ({ tcpFlags }) => bitsAre(maskBits(tcpFlags, mask), wanted);
    }
    default:
      return null;
  }
}

/** As iptables compares names: `+` at the end stands for any characters. */
function interfaceIs(name: string | null, pattern: string): Truth {
  if (name === null) return 'maybe';
  return truthOf(pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
}

/** What is asked of a connection where there is none yet is different by kernel, and whether it is negated. */
function tracked(condition: Condition): Condition {
  return (packet) => (packet.connection === null ? 'maybe' : condition(packet));
}

/** net/netfilter/xt_conntrack.c: a packet without a connection is invalid. */
function isInState({ connection }: PassingPacket, state: string): Truth {
  if (connection === null) return truthOf(state === 'INVALID');
  if (state === 'DNAT') return connection.dnat;
  if (state === 'SNAT') return connection.snat;
  return truthOf(state === connection.state.toUpperCase());
}

/** `VALUE` or `VALUE/MASK`. */
function marksAre(mark: Bits, text: string): Truth {
  const [value = Number.NaN, bits = 0xffff_ffff] = text.split('/').map(Number);
  return Number.isNaN(value) ? 'maybe' : bitsAre(maskBits(mark, bits), value);
}

/** RFC 9293, section 3.1. */
export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 } as const;
/** iptables-extensions(8): what `--syn` looks at. */
const SYN_MASK = TCP_FLAGS.FIN | TCP_FLAGS.SYN | TCP_FLAGS.RST | TCP_FLAGS.ACK;

function isFlag(name: string): name is keyof typeof TCP_FLAGS {
  return name in TCP_FLAGS;
}

/** `SYN,ACK`, `ALL`, `NONE`; `null`: another word. */
function flagBits(text: string): number | null {
  const names = text
    .split(',')
    .flatMap((name) => (name === 'ALL' ? Object.keys(TCP_FLAGS) : name === 'NONE' ? [] : name));
  return names.every(isFlag) ? names.reduce((bits, name) => bits | TCP_FLAGS[name], 0) : null;
}
