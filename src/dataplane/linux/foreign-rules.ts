import { type IptablesDump, type NftRuleset, nftFamily, type RuleTexts } from '../../interchange/rule-texts.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { NO_SUCH_PROGRAM, type ProgramResult } from '../../kernel/program.ts';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import { isOwnTable } from './nftables/layout.ts';

/** The rules that others have in a network namespace: all tables but ours. */
export interface ForeignRules extends RuleTexts {
  /** What is there and could not be read, and why; in most cases a program is missing. */
  readonly unread: readonly string[];
}

const IPTABLES: readonly Omit<IptablesDump, 'text'>[] = [
  { variant: 'nft', family: 4, program: 'iptables-nft' },
  { variant: 'nft', family: 6, program: 'ip6tables-nft' },
  { variant: 'legacy', family: 4, program: 'iptables-legacy' },
  { variant: 'legacy', family: 6, program: 'ip6tables-legacy' },
];

/** In ms, for all programs together. */
const READ_WITHIN = 10_000;

/** For a program that is not started, since no time is left. */
const LATE: ProgramResult = { exitCode: null, stdout: '', stderr: '' };

/** The nft tables that iptables-nft has, by nft's name of the family. */
const IPTABLES_TABLES = ['nat', 'filter', 'mangle', 'raw', 'security'];

/**
 * Reads the rules of others in an attached namespace, and leaves no trace there. Programs are run one after the other,
 * each only where it has something to print. `withNft`: also those that iptables cannot print. `within`: ms for all of them
 * together; what is not read by then is unread. Errors: `namespace_gone`,
 * `kernel_refused`, `kernel_stopped`.
 */
export async function readForeignRules(
  kernel: Pick<Kernel, 'othersTables' | 'run'>,
  namespace: string,
  { withNft = true, within = READ_WITHIN }: { readonly withNft?: boolean; readonly within?: number } = {},
): Promise<ForeignRules> {
  const end = performance.now() + within;
  const tables = await kernel.othersTables(namespace);
  const unread: string[] = [];

  /** What the program prints; `null`, and the reason among what is unread: it failed. */
  async function output(program: string, ...words: readonly string[]): Promise<string | null> {
    const left = end - performance.now();
    const result = left <= 0 ? LATE : await kernel.run(namespace, [program, ...words], '', left);
    if (result.exitCode === 0) return result.stdout;
    unread.push(`${program}: ${reasonFor(result)}`);
    return null;
  }

  async function readNft(): Promise<NftRuleset | null> {
    if (tables.nft.length === 0 || !withNft) return null;
    // Without -t, all elements of our maps would be listed, which takes seconds where there are many.
    const json = await output('nft', '-j', '-t', 'list', 'ruleset');
    const text = json === null ? null : await output('nft', '-a', '-s', '-t', 'list', 'ruleset');
    return json === null || text === null ? null : { objects: othersObjects(namespace, json), text };
  }

  const dumps: IptablesDump[] = [];
  for (const source of IPTABLES) {
    const { variant, family, program } = source;
    const isThere =
      variant === 'legacy'
        ? tables.legacy[family].length > 0
        : tables.nft.some((table) => table.family === nftFamily(family) && IPTABLES_TABLES.includes(table.name));
    // Without -t: the legacy program makes a table that it is asked for.
    const text = isThere ? await output(`${program}-save`) : null;
    if (text !== null) dumps.push({ ...source, text });
  }
  return { dumps, nft: await readNft(), unread };
}

function reasonFor({ exitCode, stderr }: ProgramResult): string {
  if (exitCode === NO_SUCH_PROGRAM) return 'it is not installed';
  if (exitCode === null) return 'it could not be read in time';
  return stderr.trim() || `it ended with ${exitCode}`;
}

function othersObjects(namespace: string, json: string): readonly unknown[] {
  try {
    const document: unknown = JSON.parse(json);
    const objects = isRecord(document) ? document['nftables'] : undefined;
    if (Array.isArray(objects)) return objects.filter((object) => !isOurs(object));
    throw new TypeError('it has no list of that name');
  } catch (error) {
    const reason = `nft -j prints no ruleset: ${reasonOf(error)}`;
    throw hatobaError('kernel_refused', { namespace, reason }, { cause: error });
  }
}

/** `{"rule": {"family": "inet", "table": "hatoba", …}}`; the name of a table itself is in `name`. */
function isOurs(object: unknown): boolean {
  if (!isRecord(object)) return false;
  return Object.entries(object).some(([kind, content]) => {
    if (!isRecord(content) || content['family'] !== 'inet') return false;
    return isOwnTable(String(content[kind === 'table' ? 'name' : 'table']));
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
