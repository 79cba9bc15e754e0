import type { Family } from '../model/address.ts';
import { anyPacket, both, type Match, type Passing, type Rule, type Target } from './iptables-rule.ts';
import { entriesOf, isJson, type Json, readNftKeys, readNftMatch } from './nft-match.ts';
import type { PassingEffect } from './passing-rules.ts';
import { type NftRuleset, nftFamily } from './rule-texts.ts';

/** A chain of nf_tables, with its rules as JSON. */
export interface NftChain {
  /** In nft's words: `ip`, `inet`, … */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** Where packets come to it; null: from other chains. */
  readonly base: {
    readonly type: string;
    readonly hook: string;
    readonly priority: number;
    readonly policy: 'accept' | 'drop';
    /** The interfaces that it is of, where it is of some (`ingress`, `egress`); else none. */
    readonly devices: readonly string[];
  } | null;
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  /** As nft prints it. */
  readonly text: string;
  readonly statements: readonly Json[];
}

/** The chains of a ruleset, in its order. */
export function readNftChains({ objects, text }: NftRuleset): readonly NftChain[] {
  const texts = ruleTexts(text);
  const devices = chainDevices(text);
  const contents = objects.filter(isJson);
  const rules = Map.groupBy(contents.map((object) => object['rule']).filter(isJson), (rule) => within(rule, 'chain'));
  return contents
    .map((object) => object['chain'])
    .filter(isJson)
    .map((chain) => ({
      family: word(chain['family']),
      table: word(chain['table']),
      name: word(chain['name']),
      base: baseOf(chain, devices.get(within(chain, 'name')) ?? []),
      rules: (rules.get(within(chain, 'name')) ?? []).map((rule) => ({
        text: texts.get(within(rule, 'handle')) ?? '',
        statements: Array.isArray(rule['expr']) ? rule['expr'].filter(isJson) : [],
      })),
    }));
}

/**
 * The rule for packets of one family, in the words that iptables has for targets; several where a map that is written
 * out in it has a verdict for each of its entries.
 */
export function readNftRules(rule: NftRule, chain: NftChain, family: Family, line: number): readonly Rule[] {
  const { text, statements } = rule;
  const maps = statements.map(({ vmap }) => vmap).filter(isJson);
  const [map] = maps;
  const entries = map === undefined ? null : entriesOf(map);
  if (map === undefined || entries === null) return [readStatements(statements)];
  const others = statements.filter(({ vmap }) => vmap !== map);
  return entries.map(([key, verdict]) => {
    const choice = { match: { op: '==', left: map['key'], right: key } };
    return readStatements([...others, choice, ...(isJson(verdict) ? [verdict] : [])]);
  });

  function readStatements(parts: readonly Json[]): Rule {
    const matches = parts.map((statement) => matchOf(statement, family));
    const target = parts.map(targetOf).find((found) => found !== null) ?? NO_TARGET;
    const reachable = reachedBy(chain, family) ? anyPacket(family) : nobody(family);
    const match = matches.reduce(both, reachable);
    const passing = parts.map((statement) => passingOf(statement, match));
    const strongest =
      passing.find((each) => each?.effect === 'changes') ?? passing.find((each) => each !== null) ?? null;
    return { line, chain: chain.name, text, match, target, comment: null, passing: strongest };
  }
}

function nobody(family: Family): Match {
  return { ...anyPacket(family), protocols: new Set<never>() };
}

function reachedBy({ family }: NftChain, packets: Family): boolean {
  return family === 'inet' || family === nftFamily(packets);
}

const NO_TARGET: Target = { name: null, isChain: false, isGoto: false, options: [] };

/** Verdicts and other statements that decide about a packet, as iptables calls them. */
const TARGETS: Readonly<Record<string, string>> = {
  accept: 'ACCEPT',
  drop: 'DROP',
  reject: 'REJECT',
  return: 'RETURN',
  dnat: 'DNAT',
  redirect: 'REDIRECT',
  notrack: 'NOTRACK',
  tproxy: 'TPROXY',
  queue: 'QUEUE',
};

/** Statements that neither choose packets nor decide about them, and what they do; null: only count them. */
const PASSING: Readonly<Record<string, PassingEffect | null>> = {
  counter: null,
  last: null,
  log: 'observes',
  mangle: 'changes',
  'ct helper': 'changes',
  'ct timeout': 'changes',
  dup: 'changes',
  set: 'changes',
  map: 'changes',
  secmark: 'changes',
};

/** What a statement does to these packets; null: nothing but count them. */
function passingOf(statement: Json, match: Match): Passing | null {
  const [kind = ''] = Object.keys(statement);
  const effect = PASSING[kind] ?? null;
  return effect && { effect, match, by: kind };
}

function matchOf(statement: Json, family: Family): Match {
  const [[kind, content] = ['', null]] = Object.entries(statement);
  if (kind === 'match' && isJson(content)) return readNftMatch(content, family);
  if ((kind === 'dnat' || kind === 'redirect') && isJson(content)) return translatedBy(content, family);
  const isKnown = kind in TARGETS || kind === 'jump' || kind === 'goto' || kind in PASSING;
  const isTarget = kind === 'xt' && isJson(content) && content['type'] === 'target';
  if (isKnown || isTarget) return anyPacket(family);
  return { ...anyPacket(family), unclear: [kind] };
}

/** Others pass: those of another family, and those that a map has nothing for. */
function translatedBy({ family: own, addr, port }: Json, family: Family): Match {
  if (own !== undefined && own !== nftFamily(family)) return nobody(family);
  const maps = [addr, port].map((value) => (isJson(value) ? value['map'] : undefined)).filter(isJson);
  return maps.map((map) => readNftKeys(map, family)).reduce(both, anyPacket(family));
}

/** Null: it decides nothing. */
function targetOf(statement: Json): Target | null {
  const [[kind, content] = ['', null]] = Object.entries(statement);
  if (kind === 'jump' || kind === 'goto') {
    const name = isJson(content) && typeof content['target'] === 'string' ? content['target'] : null;
    return { name, isChain: true, isGoto: kind === 'goto', options: [] };
  }
  // What is behind a map of verdicts, or one of iptables' targets, is not known.
  const isUnknown = kind === 'vmap' || (kind === 'xt' && !(isJson(content) && content['type'] === 'match'));
  const name = isUnknown ? kind : (TARGETS[kind] ?? null);
  return name === null ? null : { name, isChain: false, isGoto: false, options: [] };
}

function baseOf({ type, hook, prio, policy }: Json, devices: readonly string[]): NftChain['base'] {
  if (typeof type !== 'string' || typeof hook !== 'string' || typeof prio !== 'number') return null;
  return { type, hook, priority: prio, policy: policy === 'drop' ? 'drop' : 'accept', devices };
}

/** Family, table, and what tells it apart there. */
function within(object: Json, field: 'chain' | 'name' | 'handle'): string {
  return `${word(object['family'])} ${word(object['table'])} ${word(object[field])}`;
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Names of interfaces, by family, table and chain: nft 1.0.6 leaves them out of its JSON. */
function chainDevices(text: string): ReadonlyMap<string, readonly string[]> {
  const devices = new Map<string, readonly string[]>();
  let [table, chain] = ['', ''];
  for (const line of text.split('\n')) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain;
    const [, several, one] = /^\t\ttype \S+ hook \S+ devices? (?:= \{ ([^}]*) \}|(\S+)) /.exec(line) ?? [];
    const names = several?.split(',') ?? (one === undefined ? [] : [one]);
    if (names.length > 0)
      devices.set(
        `${table} ${chain}`,
        names.map((name) => name.trim().replaceAll('"', '')),
      );
  }
  return devices;
}

/** By family, table and handle. */
function ruleTexts(text: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  let table = '';
  for (const line of text.split('\n')) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    const [, rule, handle] = /^\t\t(\S.*) # handle (\d+)$/.exec(line) ?? [];
    if (rule !== undefined && handle !== undefined) texts.set(`${table} ${handle}`, rule.replaceAll(/ {2,}/g, ' '));
  }
  return texts;
}
