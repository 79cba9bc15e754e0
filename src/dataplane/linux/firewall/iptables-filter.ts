import { wordsOf } from '../../../interchange/iptables-dump.ts';
import type { Option } from '../../../interchange/iptables-rule.ts';
import { jumpIn, optionsOf } from '../../../interchange/iptables-rule.ts';
import { PASSING } from '../../../interchange/iptables-walk.ts';
import type { Family } from '../../../model/address.ts';
import { conditionsOf } from './iptables-conditions.ts';
import { all, forgetBits, setBits } from './passing-packet.ts';
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
    } else if (kind === '-A ') chains.get(name)?.push(readFilterRule(line, rest, family));
  }
  return tables;
}

function readFilterRule(line: string, rest: string, family: Family): FilterRule {
  const text = line.replace(/^\[\d+:\d+\] /, '');
  const words = wordsOf(rest);
  if (words === null) return { text, condition: () => 'maybe', action: { kind: 'unclear' } };
  const options = optionsOf(words);
  const jump = jumpIn(options);
  const conditions = conditionsOf(jump < 0 ? options : options.slice(0, jump), family);
  return {
    text,
    condition: all(conditions),
    action: jump < 0 ? { kind: 'pass' } : actionOf(options.slice(jump)),
  };
}

const ACTIONS: Readonly<Record<string, Action>> = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  REJECT: { kind: 'drop' },
  RETURN: { kind: 'return' },
};
/** Targets that may end the way of a packet, depending on what is elsewhere. */
const UNCLEAR = new Set(['NFQUEUE', 'QUEUE', 'SYNPROXY', 'TARPIT', 'DELUDE', 'CHAOS']);

const ALL_BITS = 0xffff_ffff;

/** What a target does, with the options behind it. */
function actionOf([jump, ...options]: readonly Option[]): Action {
  const target = jump?.values[0] ?? '';
  const known = ACTIONS[target];
  if (known !== undefined) return known;
  if (target === 'MARK') return marking(options);
  if (target === 'CONNMARK' && options.some(({ name }) => name === '--restore-mark')) {
    const [bits = ALL_BITS] = numbersOf(options, '--nfmask');
    return { kind: 'mark', mark: (before) => forgetBits(before, bits) };
  }
  if (PASSING.has(target)) return { kind: 'pass' };
  if (UNCLEAR.has(target)) return { kind: 'unclear' };
  return { kind: jump?.name === '-g' || jump?.name === '--goto' ? 'goto' : 'jump', chain: target };
}

/** `--set-xmark VALUE/MASK`, which all ways to set a mark are printed as (iptables-extensions(8), MARK). */
function marking(options: readonly Option[]): Action {
  const [value, mask] = numbersOf(options, '--set-xmark');
  if (value === undefined || mask === undefined)
    return { kind: 'mark', mark: (before) => forgetBits(before, ALL_BITS) };
  // Bits of the value beyond the mask are turned over.
  return {
    kind: 'mark',
    mark: (before) => {
      const { value: cleared, known } = setBits(before, mask, 0);
      return { value: (cleared ^ value) >>> 0, known };
    },
  };
}

function numbersOf(options: readonly Option[], name: string): readonly number[] {
  return (
    options
      .find((option) => option.name === name)
      ?.values[0]?.split('/')
      .map(Number) ?? []
  );
}
