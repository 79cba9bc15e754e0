import type { Family } from '../model/address.ts';
import { hatobaError } from '../model/errors.ts';
import { optionsOf } from './iptables-options.ts';
import { type Word, wordsOf } from './iptables-words.ts';

/** One `-A` line. */
export interface DumpRule {
  readonly line: number;
  readonly chain: string;
  /** Without its counters; perhaps with line breaks in quotes. */
  readonly text: string;
  /** What follows the chain. */
  readonly words: readonly Word[];
}

/** One table of one address family. */
export interface DumpTable {
  readonly family: Family;
  readonly chains: ReadonlyMap<string, readonly DumpRule[]>;
  /** Rules of an earlier table in the file that this one does not have: iptables-restore lets the later one replace it. */
  readonly replaced: readonly DumpRule[];
}

/** Whether a text is the output of `iptables-save` or `ip6tables-save` rather than a file of ours. */
export function isDump(text: string): boolean {
  return /^\*(?:nat|filter|mangle|raw|security)\s*$/m.test(text);
}

/**
 * Reads one table in the output of `iptables-save` and `ip6tables-save`, also of both one after the other, with or
 * without counters, and in whatever else iptables-restore takes: without chains being declared, with `-N`, `-F`, `-X`, `-I`, `-D`.
 * Error: `file_malformed`, naming the line, for what it refuses, and for what iptables-nft and iptables-legacy read differently.
 */
export function readDump(file: string, text: string, name = 'nat'): readonly DumpTable[] {
  const tables = new Map<Family, DumpTable>();
  let chains: Chains | null = null;
  let isSkipped = false;
  let family: Family | null = null;

  const malformed = (line: number, reason: string) => {
    return hatobaError('file_malformed', { file, reason: `line ${line}: ${reason}` });
  };

  function finish(): void {
    if (chains !== null) {
      for (const table of tablesOf(chains, family))
        tables.set(table.family, replacing(tables.get(table.family), table));
    }
    chains = null;
    isSkipped = false;
  }

  function readLine(content: string, line: number): void {
    if (content.startsWith('#')) {
      family = familyInComment(content) ?? family;
    } else if (content.startsWith('*')) {
      if (chains !== null || isSkipped) throw malformed(line, 'a table begins before the one above has ended');
      if (content === `*${name}`) chains = new Map();
      else isSkipped = true;
    } else if (content === 'COMMIT') {
      finish();
    } else if (chains !== null) {
      readEntry(chains, content, line, (reason) => malformed(line, reason));
    } else if (!isSkipped) throw malformed(line, 'it is in no table');
  }

  for (const [line, content] of entriesOf(text)) if (content.trim() !== '') readLine(content.trim(), line);
  if (chains !== null || isSkipped) throw malformed(text.split('\n').length, 'the last table has no COMMIT');
  return [...tables.values()];
}

function replacing(earlier: DumpTable | undefined, later: DumpTable): DumpTable {
  if (earlier === undefined) return later;
  const kept = new Set([...later.chains.values()].flat().map(({ text }) => text));
  const gone = [...earlier.replaced, ...[...earlier.chains.values()].flat()].filter(({ text }) => !kept.has(text));
  return { ...later, replaced: gone };
}

/** A file for both families has rules for one of them only (`-4`, `-6`), and is read by both programs. */
function tablesOf(chains: Chains, family: Family | null): readonly DumpTable[] {
  const all = [...chains.values()].flat();
  const isForBoth = family === null && all.some((rule) => flaggedFamily(rule) !== null);
  const families: readonly Family[] = isForBoth ? FAMILIES : [family ?? familyOf(all)];
  return families.map((each) => {
    const ofFamily = (rule: DumpRule) => {
      return (flaggedFamily(rule) ?? (isForBoth ? (addressFamily(rule) ?? each) : each)) === each;
    };
    const own = Array.from(chains, ([chain, rules]) => [chain, rules.filter(ofFamily)] as const);
    return { family: each, chains: new Map(own), replaced: [] };
  });
}

const FAMILIES: readonly Family[] = [4, 6];

/** The only family that a rule is for by its own option. */
function flaggedFamily({ text, words }: DumpRule): Family | null {
  // Hardly any rule has one.
  if (!/(?:^|\s)-(?:-ip|[46])/.test(text)) return null;
  const flag = optionsOf(words).find(({ name }) => name === '-4' || name === '-6');
  return flag === undefined ? null : flag.name === '-4' ? 4 : 6;
}

/** Each line with its number; what is in quotes, such as a comment, can go on over several of them. */
function* entriesOf(text: string): Iterable<readonly [line: number, content: string]> {
  const lines = text.split('\n');
  const begun: string[] = [];
  for (const [index, content] of lines.entries()) {
    const wasOpen = begun.length > 0;
    const isRemark = !wasOpen && content.startsWith('#');
    const isOpen = wasOpen !== (hasOddQuotes(content) && !isRemark);
    begun.push(content);
    if (isOpen && index + 1 < lines.length) continue;
    yield [index + 2 - begun.length, begun.splice(0).join('\n')];
  }
}

function hasOddQuotes(text: string): boolean {
  return text.includes('"') && text.replaceAll(/\\./g, '').split('"').length % 2 === 0;
}

type Chains = Map<string, DumpRule[]>;
type Malformed = (reason: string) => Error;

const BUILT_IN: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];

/** A chain's declaration, or a command, most often to append a rule. */
function readEntry(chains: Chains, content: string, line: number, malformed: Malformed): void {
  const declared = /^:(\S+)\s+\S+/.exec(content)?.[1];
  if (declared !== undefined) {
    if (!chains.has(declared)) chains.set(declared, []);
    return;
  }
  const text = content.replace(/^\[\d+:\d+\]\s*/, '');
  const words = wordsOf(text);
  if (words === null) throw malformed('a quote is not closed');
  // Options of the rule may stand before the command.
  const at = Math.max(0, words[0]?.text.startsWith('-') ? words.findIndex((word) => isCommand(word)) : 0);
  const [command = { text: '' }, chain, ...behind] = words.slice(at);
  const rest = [...words.slice(0, at), ...behind];
  const rules = () => {
    const found = chains.get(chain?.text ?? '') ?? (BUILT_IN.includes(chain?.text ?? '') ? [] : undefined);
    if (chain === undefined || found === undefined) throw malformed(`there is no chain ${chain?.text ?? ''}`);
    chains.set(chain.text, found);
    return found;
  };
  switch (COMMANDS[command.text] ?? command.text) {
    case '-A':
      rules().push({ line, chain: chain?.text ?? '', text, words: rest });
      return;
    case '-I': {
      const number = /^[1-9]\d*$/.test(behind[0]?.text ?? '') ? Number(behind[0]?.text) : null;
      const own = number === null ? rest : [...words.slice(0, at), ...behind.slice(1)];
      rules().splice((number ?? 1) - 1, 0, { line, chain: chain?.text ?? '', text, words: own });
      return;
    }
    case '-D':
      removeRule(rules(), rest, malformed);
      return;
    case '-N':
      if (chain !== undefined && !chains.has(chain.text)) chains.set(chain.text, []);
      return;
    case '-F':
    case '-X': {
      const emptied = chain === undefined ? [...chains.values()].flat() : (chains.get(chain.text) ?? []);
      if (emptied.length > 0)
        throw malformed(`${text} comes behind rules, of which iptables-nft and iptables-legacy keep others`);
      return;
    }
    case '-P':
    case '-Z':
      return;
    default:
      throw malformed(`${text} is not what iptables-save prints`);
  }
}

/** What users write, in iptables' short form. */
const COMMANDS: Readonly<Record<string, string>> = {
  '--append': '-A',
  '--insert': '-I',
  '--delete': '-D',
  '--new-chain': '-N',
  '--flush': '-F',
  '--delete-chain': '-X',
  '--policy': '-P',
  '--zero': '-Z',
};

function isCommand({ text, isQuoted }: Word): boolean {
  return !isQuoted && /^-[AIDNFXPZRECLS]$/.test(COMMANDS[text] ?? text);
}

/** By its number, or as it was written. */
function removeRule(rules: DumpRule[], words: readonly Word[], malformed: Malformed): void {
  const printed = (some: readonly Word[]) => some.map(({ text }) => text).join(' ');
  const wanted = printed(words);
  const at = /^[1-9]\d*$/.test(wanted) ? Number(wanted) - 1 : rules.findIndex((rule) => printed(rule.words) === wanted);
  if (rules[at] === undefined) throw malformed('the rule that it deletes is not there in these words');
  rules.splice(at, 1);
}

function familyInComment(comment: string): Family | null {
  const program = /\b(ip6?tables)-(?:legacy-|nft-)?save\b/.exec(comment)?.[1];
  if (program === undefined || !comment.includes('Generated')) return null;
  return program === 'ip6tables' ? 6 : 4;
}

/** Where no comment tells: that of the first rule with an address. */
function familyOf(rules: readonly DumpRule[]): Family {
  return rules.some((rule) => addressFamily(rule) === 6) ? 6 : 4;
}

/** IPv6 addresses have colons where IPv4 has none; null: the rule has no address. */
function addressFamily({ text }: DumpRule): Family | null {
  if (/\s(?:-[sd]|--to\S*|--src|--dst|--source|--destination)[ =]\[?[\da-f]*:[\da-f:]*:/i.test(text)) return 6;
  return /[\s=]\d+\.\d+\.\d+\.\d+/.test(text) ? 4 : null;
}
