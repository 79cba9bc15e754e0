import { protocolsOf } from './iptables-values.ts';
import type { Word } from './iptables-words.ts';

/** `--name value value`, perhaps negated. */
export interface Option {
  /** As iptables-save prints it, where it is known; else as it was written. */
  readonly name: string;
  readonly values: readonly string[];
  readonly isNegated: boolean;
  /** Whether it names a match, and no option of that match comes behind it. */
  readonly isBareMatch: boolean;
  /** Whether it has as many values as iptables demands; true for an option that is not known. */
  readonly isComplete: boolean;
}

/** A rule's options by what they are of. */
export interface RuleOptions {
  /** Conditions; they may also stand behind the target. */
  readonly conditions: readonly Option[];
  /** `-j` or `-g`; null: the rule only counts. */
  readonly jump: Option | null;
  /** Options of the target. */
  readonly ofTarget: readonly Option[];
  /** Whether there is more than one target, which iptables refuses. */
  readonly isAmbiguous: boolean;
}

/** What iptables-save prints for each name of an option. */
type Names = Readonly<Record<string, string>>;

/** Long names of the options that every rule can have (iptables 1.8, original_opts), and the short ones, as far as these are used here. */
const COMMON: Names = {
  '--append': '-A',
  '--check': '-C',
  '--delete': '-D',
  '--delete-chain': '-X',
  '--destination': '-d',
  '--dst': '-d',
  '--exact': '-x',
  '--flush': '-F',
  '--fragments': '-f',
  '--goto': '-g',
  '--help': '-h',
  '--in-interface': '-i',
  '--insert': '-I',
  '--ipv4': '-4',
  '--ipv6': '-6',
  '--jump': '-j',
  '--line-numbers': '--line-numbers',
  '--list': '-L',
  '--list-rules': '-S',
  '--match': '-m',
  '--modprobe': '-M',
  '--new-chain': '-N',
  '--numeric': '-n',
  '--out-interface': '-o',
  '--policy': '-P',
  '--protocol': '-p',
  '--rename-chain': '-E',
  '--replace': '-R',
  '--set-counters': '-c',
  '--source': '-s',
  '--src': '-s',
  '--table': '-t',
  '--verbose': '-v',
  '--version': '-V',
  '--wait': '-w',
  '--wait-interval': '-W',
  '--zero': '-Z',
};

const PORTS: Names = {
  '--source-port': '--sport',
  '--sport': '--sport',
  '--destination-port': '--dport',
  '--dport': '--dport',
};

/** The options of matches, by the names of these; a match that is not here may have any (iptables-extensions(8)). */
const MATCHES: Readonly<Record<string, Names>> = {
  tcp: { ...PORTS, ...named('tcp-flags', 'syn', 'tcp-option') },
  udp: PORTS,
  sctp: { ...PORTS, ...named('chunk-types') },
  dccp: { ...PORTS, ...named('dccp-types', 'dccp-option') },
  multiport: {
    ...named('sports', 'dports', 'ports'),
    '--source-ports': '--sports',
    '--destination-ports': '--dports',
  },
  iprange: named('src-range', 'dst-range'),
  comment: named('comment'),
  state: named('state'),
  conntrack: named(
    ...'ctstate ctproto ctorigsrc ctorigdst ctreplsrc ctrepldst ctorigsrcport ctorigdstport ctreplsrcport'.split(' '),
    ...'ctrepldstport ctstatus ctexpire ctdir'.split(' '),
  ),
  mark: named('mark'),
  connmark: named('mark'),
};

/** The options of targets. */
const TARGETS: Readonly<Record<string, Names>> = {
  DNAT: named('to-destination', 'random', 'persistent'),
  REDIRECT: named('to-ports', 'random'),
  NETMAP: named('to'),
};

/** Targets that have none. */
const VERDICTS: readonly string[] = ['ACCEPT', 'DROP', 'RETURN', 'QUEUE'];

/** How many values options have that do not have one. */
const COUNTS: Readonly<Record<string, number>> = {
  '-4': 0,
  '-6': 0,
  '-f': 0,
  '-v': 0,
  '-c': 2,
  '--syn': 0,
  '--tcp-flags': 2,
  '--random': 0,
  '--persistent': 0,
};

/** Options whose one value may begin with a hyphen or be an exclamation mark, whatever match or target they are of. */
const TEXTS: readonly string[] = [
  ...Object.keys(named('comment', 'string', 'hex-string', 'log-prefix', 'nflog-prefix', 'ulog-prefix', 'helper')),
  ...Object.keys(named('name', 'selctx', 'bytecode', 'path', 'led-trigger-id', 'label')),
];

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(COMMON),
  ...[...Object.values(MATCHES), ...Object.values(TARGETS)].flatMap((options) => Object.values(options)),
  ...TEXTS,
]);

function named(...names: readonly string[]): Names {
  return Object.fromEntries(names.map((name) => [`--${name}`, `--${name}`]));
}

interface Draft {
  readonly name: string;
  readonly values: string[];
  isNegated: boolean;
}

/**
 * The options in order, each with the values behind it, by the names that iptables-save prints, whether they are written
 * out, abbreviated (getopt_long(3)) or with `=`. An exclamation mark between an option and its value, as iptables before
 * 1.4.3 printed it, means the same as one before the option.
 */
export function optionsOf(words: readonly Word[]): readonly Option[] {
  const drafts: Draft[] = [];
  let isNegated = false;
  for (const { text, isQuoted } of words) {
    const last = drafts.at(-1);
    if (last !== undefined && wants(last)) {
      if (text === '!' && !isQuoted && !TEXTS.includes(last.name)) last.isNegated = true;
      else last.values.push(text);
    } else if (text === '!' && !isQuoted) isNegated = true;
    else if (text.startsWith('-') && !(isQuoted && last !== undefined && !KNOWN.has(last.name))) {
      const [written = '', value] = splitName(text);
      const name = nameOf(written, drafts);
      drafts.push({ name, values: value === undefined ? [] : [value], isNegated });
      isNegated = false;
    } else if (last !== undefined) {
      last.values.push(text);
      last.isNegated ||= isNegated;
      isNegated = false;
    }
  }
  return drafts.map((draft, at) => ({
    ...draft,
    isBareMatch: draft.name === '-m' && !hasOptions(drafts.slice(at + 1)),
    isComplete: !KNOWN.has(draft.name) || draft.values.length === countOf(draft.name),
  }));
}

function wants({ name, values }: Draft): boolean {
  return KNOWN.has(name) && values.length < countOf(name);
}

function countOf(name: string): number {
  return COUNTS[name] ?? 1;
}

/** Only options of matches and targets can have their value behind `=`. */
function splitName(text: string): readonly string[] {
  const end = text.startsWith('--') ? text.indexOf('=') : -1;
  const name = text.slice(0, end);
  return end < 0 || Object.hasOwn(COMMON, name) ? [text] : [name, text.slice(end + 1)];
}

/** Whether options of a match come behind its name, which may be with those of the rule between them. */
function hasOptions(behind: readonly Draft[]): boolean {
  const end = behind.findIndex(({ name }) => name === '-m' || isJump(name));
  return behind.slice(0, end < 0 ? behind.length : end).some(({ name }) => name.startsWith('--'));
}

/** The name that iptables-save prints for an option; unchanged: it is not known, or can be several. */
function nameOf(written: string, before: readonly Draft[]): string {
  if (!written.startsWith('--')) return written;
  const loaded = before.flatMap(({ name, values: [value = ''] }) => {
    if (name === '-m') return [tableOf(MATCHES, value)];
    return isJump(name) ? [tableOf(TARGETS, value) ?? {}] : [];
  });
  const known = [COMMON, ...loaded.filter((options) => options !== undefined)];
  // A match that is not known may have an option of any name.
  const found = exactly(written, known) ?? (loaded.includes(undefined) ? undefined : expand(written, known, before));
  return found ?? exactly(written, [...Object.values(MATCHES), ...Object.values(TARGETS)]) ?? written;
}

/** The only option that begins so; that of the protocol's match is loaded where no other is there. */
function expand(written: string, known: readonly Names[], before: readonly Draft[]): string | undefined {
  const found = beginningWith(written, known);
  return found.length === 0 ? only(beginningWith(written, [matchOfProtocol(before)])) : only(found);
}

function exactly(written: string, tables: readonly Names[]): string | undefined {
  return tables.find((names) => Object.hasOwn(names, written))?.[written];
}

function beginningWith(written: string, tables: readonly Names[]): readonly string[] {
  return tables
    .flatMap((names) => Object.entries(names))
    .filter(([name]) => name.startsWith(written))
    .map(([, name]) => name);
}

/** Several names of one option are several to getopt_long(3), too. */
function only(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

function matchOfProtocol(before: readonly Draft[]): Names {
  const value = before.find(({ name }) => name === '-p')?.values[0] ?? '';
  const [protocol = '', ...others] = protocolsOf(value, false) ?? [];
  return (others.length === 0 ? tableOf(MATCHES, protocol) : undefined) ?? {};
}

function tableOf(tables: Readonly<Record<string, Names>>, name: string): Names | undefined {
  return Object.hasOwn(tables, name) ? tables[name] : undefined;
}

function isJump(name: string): boolean {
  return name === '-j' || name === '-g';
}

/** Where the target begins; -1: there is none. */
export function jumpIn(options: readonly Option[]): number {
  return options.findIndex(({ name }) => isJump(name));
}

/**
 * Tells conditions from options of the target, since iptables takes either before and behind it.
 * `isChain`: whether the table has a chain of that name, which then is the target, and has no options.
 */
export function splitOptions(options: readonly Option[], isChain: (name: string) => boolean): RuleOptions {
  const at = jumpIn(options);
  const jump = options[at] ?? null;
  if (jump === null) return { conditions: options, jump, ofTarget: [], isAmbiguous: false };
  const [target = ''] = jump.values;
  const hasOptions = !isChain(target) && !VERDICTS.includes(target);
  const behind = options.slice(at + 1);
  const firstMatch = behind.findIndex(({ name }) => name === '-m');
  const isOfTarget = ({ name }: Option, index: number): boolean => {
    if (!hasOptions || !name.startsWith('--')) return false;
    if (Object.hasOwn(tableOf(TARGETS, target) ?? {}, name)) return true;
    return !isOfMatch(name) && (firstMatch < 0 || index < firstMatch);
  };
  return {
    conditions: [...options.slice(0, at), ...behind.filter((option, index) => !isOfTarget(option, index))],
    jump,
    ofTarget: behind.filter(isOfTarget),
    isAmbiguous: behind.some(({ name }) => isJump(name)),
  };
}

function isOfMatch(name: string): boolean {
  return Object.values(MATCHES).some((options) => Object.values(options).includes(name));
}

export function printOption({ name, values, isNegated }: Option): string {
  return [...(isNegated ? ['!'] : []), name, ...values].join(' ');
}
