import { jumpIn, type Option, optionsOf } from '../../../interchange/iptables-options.ts';
import { wordsOf } from '../../../interchange/iptables-words.ts';
import type { Family } from '../../../model/address.ts';
import { bitsOf, maskBits, UNKNOWN_BITS, xorBits } from './bits.ts';
import { conditionsOf } from './iptables-conditions.ts';
import type { Action, FilterChains, FilterRule } from './walk.ts';

/** One table as `iptables-save` prints it. */
export interface IptablesTable {
  readonly name: string;
  /** Of the chains that packets come to by themselves. */
  readonly policies: ReadonlyMap<string, 'accept' | 'drop'>;
  readonly chains: FilterChains;
}

/** Reads the output of `iptables-save`, all tables of it; what it never prints is passed over. */
export function readTables(text: string, family: Family): readonly IptablesTable[] {
  const tables: IptablesTable[] = [];
  let policies = new Map<string, 'accept' | 'drop'>();
  let chains = new Map<string, FilterRule[]>();
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^(?:\[\d+:\d+\] )?(\*|:|-A )(\S+)(?: (.*))?$/.exec(line) ?? [];
    if (kind === '*') {
      [policies, chains] = [new Map(), new Map()];
      tables.push({ name, policies, chains });
    } else if (kind === ':') {
      chains.set(name, []);
      const policy = rest.split(' ')[0];
      if (policy === 'ACCEPT' || policy === 'DROP') policies.set(name, policy === 'DROP' ? 'drop' : 'accept');
    } else if (kind === '-A ') chains.get(name)?.push(readFilterRule(line, rest, family, chains));
  }
  return tables;
}

/** `chains`: those that the table declares, all of which come before its first rule. */
function readFilterRule(line: string, rest: string, family: Family, chains: FilterChains): FilterRule {
  const text = line.replace(/^\[\d+:\d+\] /, '');
  const words = wordsOf(rest);
  if (words === null) return { text, steps: [{ do: { kind: 'unclear' } }] };
  const options = optionsOf(words);
  const jump = jumpIn(options);
  const conditions = conditionsOf(jump < 0 ? options : options.slice(0, jump), family);
  const action: Action = jump < 0 ? { kind: 'pass' } : actionOf(options.slice(jump), chains);
  return { text, steps: [...conditions.map((condition) => ({ when: condition })), { do: action }] };
}

/** iptables-extensions(8). Targets that can send a packet elsewhere, or change its addresses or hop limit, are not among them. */
const ACTIONS: Readonly<Record<string, Action>> = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  REJECT: { kind: 'drop' },
  RETURN: { kind: 'return' },
  ...actions({ kind: 'translate' }, 'DNAT SNAT MASQUERADE REDIRECT NETMAP'),
  ...actions(
    { kind: 'pass' },
    'AUDIT CHECKSUM CLASSIFY CONNSECMARK DSCP ECN IDLETIMER LED LOG NFLOG RATEEST SECMARK SET TCPMSS TEE TOS TRACE ULOG',
  ),
  NOTRACK: { kind: 'untrack' },
};

function actions(action: Action, names: string): Readonly<Record<string, Action>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, action]));
}

const ALL_BITS = 0xffff_ffff;

/** What a target does, with the options behind it. A chain of the table comes before a target of its name. */
function actionOf([jump, ...options]: readonly Option[], chains: FilterChains): Action {
  const target = jump?.values[0] ?? '';
  if (chains.has(target)) {
    return { kind: jump?.name === '-g' ? 'goto' : 'jump', chain: target };
  }
  if (target === 'MARK') return marking(options);
  if (target === 'CONNMARK') return connectionMarking(options);
  if (target === 'CT') return trackingOf(options);
  return ACTIONS[target] ?? { kind: 'unclear' };
}

/** `--set-xmark VALUE/MASK`, which all ways to set a mark are printed as (iptables-extensions(8), MARK). */
function marking(options: readonly Option[]): Action {
  const [value, mask] = numbersOf(options, '--set-xmark') ?? [];
  if (value === undefined || mask === undefined) return { kind: 'mark', value: () => UNKNOWN_BITS };
  // Bits of the value beyond the mask are turned over.
  return { kind: 'mark', value: (packet) => xorBits(maskBits(packet.mark, ~mask), bitsOf(value)) };
}

/** net/netfilter/xt_connmark.c. Shifts are not followed. */
function connectionMarking(options: readonly Option[]): Action {
  const has = (name: string) => options.some((option) => option.name === name);
  const [set, setMask] = numbersOf(options, '--set-xmark') ?? [];
  const [ofPacket = ALL_BITS] = numbersOf(options, '--nfmask') ?? numbersOf(options, '--mask') ?? [];
  const [ofConnection = ALL_BITS] = numbersOf(options, '--ctmask') ?? numbersOf(options, '--mask') ?? [];
  if (has('--restore-mark')) {
    return {
      kind: 'mark',
      value: ({ mark, connection }) =>
        connection === null ? mark : xorBits(maskBits(mark, ~ofPacket), maskBits(connection.mark, ofConnection)),
    };
  }
  return {
    kind: 'connection-mark',
    value: ({ mark, connection }) => {
      const before = connection?.mark ?? UNKNOWN_BITS;
      if (has('--save-mark')) return xorBits(maskBits(before, ~ofConnection), maskBits(mark, ofPacket));
      if (set === undefined || setMask === undefined) return UNKNOWN_BITS;
      return xorBits(maskBits(before, ~setMask), bitsOf(set));
    },
  };
}

/** A zone is another world of connections, in which the answers may not be known. */
function trackingOf(options: readonly Option[]): Action {
  if (options.some(({ name }) => name === '--notrack')) return { kind: 'untrack' };
  return { kind: options.some(({ name }) => name.startsWith('--zone')) ? 'unclear' : 'pass' };
}

function numbersOf(options: readonly Option[], name: string): readonly number[] | undefined {
  return options
    .find((option) => option.name === name)
    ?.values[0]?.split('/')
    .map(Number);
}
