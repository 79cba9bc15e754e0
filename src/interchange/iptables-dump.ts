import type { Family } from '../model/address.ts';
import { hatobaError } from '../model/errors.ts';

/** One word of a rule; quoted words are never options. */
export interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

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
}

/** Whether a text is the output of `iptables-save` or `ip6tables-save` rather than a file of ours. */
export function isDump(text: string): boolean {
  return /^\*(?:nat|filter|mangle|raw|security)\s*$/m.test(text);
}

/**
 * Reads one table in the output of `iptables-save` and `ip6tables-save`, also of both one after the other, with or
 * without counters. Error: `file_malformed`, naming the line, for what these never print.
 */
export function readDump(file: string, text: string, name = 'nat'): readonly DumpTable[] {
  const tables: DumpTable[] = [];
  let chains: Map<string, DumpRule[]> | null = null;
  let isSkipped = false;
  let family: Family | null = null;

  const malformed = (line: number, reason: string) => {
    return hatobaError('file_malformed', { file, reason: `line ${line}: ${reason}` });
  };

  function finish(line: number): void {
    if (chains !== null) {
      const table = { family: family ?? familyOf(chains), chains };
      if (tables.some((other) => other.family === table.family)) {
        throw malformed(line, `a second ${name} table for IPv${table.family}`);
      }
      tables.push(table);
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
      finish(line);
    } else if (chains !== null) {
      readEntry(chains, content, line, malformed);
    } else if (!isSkipped) throw malformed(line, 'it is in no table');
  }

  for (const [line, content] of entriesOf(text)) if (content.trim() !== '') readLine(content.trim(), line);
  if (chains !== null || isSkipped) throw malformed(text.split('\n').length, 'the last table has no COMMIT');
  return tables;
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

/** A chain's declaration, or a rule. */
function readEntry(
  chains: Map<string, DumpRule[]>,
  content: string,
  line: number,
  malformed: (line: number, reason: string) => Error,
): void {
  const declared = /^:(\S+) \S+/.exec(content)?.[1];
  if (declared !== undefined) {
    if (!chains.has(declared)) chains.set(declared, []);
    return;
  }
  const text = content.replace(/^\[\d+:\d+\]\s*/, '');
  const words = wordsOf(text);
  if (words === null) throw malformed(line, 'a quote is not closed');
  const [command, chain, ...rest] = words;
  const rules = chain === undefined ? undefined : chains.get(chain.text);
  if ((command?.text !== '-A' && command?.text !== '--append') || chain === undefined) {
    throw malformed(line, `${text} is not what iptables-save prints`);
  }
  if (rules === undefined) throw malformed(line, `there is no chain ${chain.text}`);
  rules.push({ line, chain: chain.text, text, words: rest });
}

/** Words as iptables-restore splits them: double quotes, inside of them a backslash before any character; null: unclosed. */
export function wordsOf(text: string): readonly Word[] | null {
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]+)(?=\s|$))/gy;
  const words: Word[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, quoted, plain] = match;
    words.push({ text: plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'), isQuoted: plain === undefined });
    end = match.index + whole.length;
  }
  return text.slice(end).trim() === '' ? words : null;
}

function familyInComment(comment: string): Family | null {
  const program = /\b(ip6?tables)-(?:legacy-|nft-)?save\b/.exec(comment)?.[1];
  if (program === undefined || !comment.includes('Generated')) return null;
  return program === 'ip6tables' ? 6 : 4;
}

/** Where no comment tells: IPv6 addresses have colons where IPv4 has none. */
function familyOf(chains: ReadonlyMap<string, readonly DumpRule[]>): Family {
  const all = [...chains.values()].flat();
  return all.some(({ text }) => /\s(?:-[sd]|--to-destination) \[?[\da-f]*:[\da-f:]*:/i.test(text)) ? 6 : 4;
}
