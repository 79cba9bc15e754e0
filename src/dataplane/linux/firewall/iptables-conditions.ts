import { anyPacket, networkOf, type Option, portsOf, readCondition } from '../../../interchange/iptables-rule.ts';
import { addressValue, type Family } from '../../../model/address.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';
import { matchCondition, portWithin } from './match-condition.ts';
import {
  type Condition,
  exactly,
  isAmong,
  type Mark,
  markIs,
  NO_MARK,
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
  const [value = ''] = option.values;
  const known = readKnown(option.name, value, module, family);
  if (known !== null) return option.isNegated ? (packet) => not(known(packet)) : known;
  const match = readCondition(option, anyPacket(family), { family, outside: [] });
  return match === null ? () => 'maybe' : matchCondition(match, family);
}

/** Conditions that only a packet on its way through a router has; `null`: none of them. */
function readKnown(name: string, value: string, module: string, family: Family): Condition | null {
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
      return ({ direction }) => truthOf((value === 'ORIGINAL') === (direction === 'request'));
    case '--ctproto':
      return ({ protocol }) => truthOf([protocol, String(PROTOCOL_NUMBERS[protocol])].includes(value));
    case '--ctorigdst': {
      const network = networkOf(value, family);
      return network && (({ asked }) => isAmong(exactly(addressValue(asked.address)), network));
    }
    case '--ctorigdstport': {
      const ports = portsOf(value);
      return ports && (({ asked }) => portWithin(asked.port, ports));
    }
    case '--mark':
      return module === 'connmark'
        ? (packet) => markFits(connectionMark(packet), value)
        : ({ mark }) => markFits(mark, value);
    default:
      return null;
  }
}

/** As iptables compares names: `+` at the end stands for any characters. */
function interfaceIs(name: string | null, pattern: string): Truth {
  if (name === null) return 'maybe';
  return truthOf(pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
}

/** DNAT: hatoba has translated it. SNAT: it may have, where client and target are in one network. */
function isInState({ direction }: PassingPacket, state: string): Truth {
  if (state === 'DNAT') return 'yes';
  if (state === 'SNAT') return 'maybe';
  return truthOf(state === (direction === 'request' ? 'NEW' : 'ESTABLISHED'));
}

/** That of a connection's first packet is none. */
function connectionMark({ direction }: PassingPacket): Mark {
  return direction === 'request' ? NO_MARK : { value: 0, known: 0 };
}

/** `VALUE` or `VALUE/MASK`. */
function markFits(mark: Mark, text: string): Truth {
  const [value = Number.NaN, bits = 0xffff_ffff] = text.split('/').map(Number);
  return Number.isNaN(value) ? 'maybe' : markIs(mark, value, bits);
}
