import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS, EXIT, type ExitCode } from '../src/model/error-catalogue.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/errors.md');

interface Kind {
  readonly status: number;
  readonly exit: ExitCode;
  readonly message: string;
  readonly hint: string;
}
type Catalogue = Readonly<Record<string, Kind>>;

const MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done',
  failed: 'it failed, through no fault of the command',
  usage: 'wrong usage, or invalid input',
  notFound: 'what was named does not exist',
  conflict: 'it conflicts with something that exists',
  forbidden: 'not permitted',
  unreachable: 'the daemon cannot be reached',
  timedOut: 'waited in vain: not in the kernel within the time given, or nothing came that was waited for',
};

const INTRODUCTION = `# Errors

Every error that hatoba reports has a code, which stays the same from version to version, a message that
quotes what it is about, and a hint that says what to do. Where a field of the input is at fault, the error
names that field. Scripts go by the code or by the exit code, never by the message.

On the command line the message and the hint are written to standard error, and the exit code tells the kind.
The API answers with the HTTP status and a problem document (RFC 9457) that holds the same code, message and hint.

In the tables, \`{value}\` and the like stand for what the error quotes. Quoted text is cut after 120
characters, and its control characters are shown as escapes such as \`\\u001b\`.

This page is made from the catalogue in \`src/model/error-catalogue.ts\`; \`UPDATE_DOCS=1 npx vitest run test/errors.test.ts\`
writes it again.

## Exit codes
`;

/** docs/errors.md, whole. */
function pageOf(catalogue: Catalogue): string {
  const exits = Object.entries(MEANING).map(([name, meaning]) => `| ${exitOf(name)} | ${meaning} |`);
  const sections = Object.entries(MEANING).flatMap(([name, meaning]) => sectionOf(catalogue, exitOf(name), meaning));
  return [`${INTRODUCTION}\n| exit code | meaning |\n| --- | --- |`, ...exits, ...sections, ''].join('\n');
}

function exitOf(name: string): number {
  return new Map<string, number>(Object.entries(EXIT)).get(name) ?? Number.NaN;
}

function sectionOf(catalogue: Catalogue, exit: number, meaning: string): readonly string[] {
  const rows = Object.entries(catalogue)
    .filter(([, kind]) => kind.exit === exit)
    .map(([code, { status, message, hint }]) => `| \`${code}\` | ${status} | ${cell(message)} | ${cell(hint)} |`);
  if (rows.length === 0) return [];
  const title = `\n## Exit code ${exit}: ${meaning}\n`;
  return [title, '| code | HTTP status | message | hint |', '| --- | --- | --- | --- |', ...rows];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** Which exit codes go with an HTTP status. */
const EXITS: Readonly<Record<number, readonly ExitCode[]>> = {
  400: [EXIT.usage],
  401: [EXIT.forbidden],
  403: [EXIT.forbidden],
  404: [EXIT.notFound],
  409: [EXIT.conflict],
  410: [EXIT.failed],
  412: [EXIT.conflict],
  413: [EXIT.usage],
  422: [EXIT.usage],
  429: [EXIT.failed],
  431: [EXIT.usage],
  500: [EXIT.failed],
  503: [EXIT.failed, EXIT.unreachable],
  504: [EXIT.timedOut],
  507: [EXIT.failed],
};

/** In what a catalogue is not as users can rely on it, one sentence each. */
function flawsIn(catalogue: Catalogue): readonly string[] {
  const messages = Object.values(catalogue).map(({ message }) => message);
  return Object.entries(catalogue).flatMap(([code, { status, exit, message, hint }]) => [
    ...flaw(!/^[a-z][a-z\d]*(_[a-z\d]+)+$/.test(code), `${code} is not in snake_case`),
    ...flaw(EXITS[status]?.includes(exit) !== true, `${code}: exit code ${exit} does not go with status ${status}`),
    ...flaw(!/\{\w+\}/.test(message), `${code}: the message quotes nothing`),
    ...flaw(/[.!]$|^[A-Z]/.test(message), `${code}: the message is not a clause`),
    ...flaw(!/^\S.*[.?]$/.test(hint), `${code}: the hint is not a sentence`),
    ...flaw(messages.filter((other) => other === message).length > 1, `${code}: the message is used twice`),
  ]);
}

function byText(a: string, b: string): number {
  return a.localeCompare(b);
}

function flaw(is: boolean, sentence: string): readonly string[] {
  return is ? [sentence] : [];
}

/** The codes that no source file but the catalogue itself names. */
function unusedIn(codes: readonly string[], sources: readonly string[]): readonly string[] {
  return codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)));
}

describe('docs/errors.md', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, pageOf(ERRORS));
  const page = readFileSync(PAGE, 'utf8');

  test('is what the catalogue says', () => {
    expect(page).toBe(pageOf(ERRORS));
  });

  test('documents every code exactly once', () => {
    const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1] ?? '');
    expect(documented.sort(byText)).toEqual(Object.keys(ERRORS).sort(byText));
  });

  test('a change of any part of the catalogue changes it', () => {
    const { port_malformed: kind } = ERRORS;
    for (const change of [{ status: 413 }, { exit: EXIT.failed }, { message: '{value}?' }, { hint: 'No.' }]) {
      expect(pageOf({ ...ERRORS, port_malformed: { ...kind, ...change } })).not.toBe(pageOf(ERRORS));
    }
  });
});

describe('the catalogue', () => {
  test('can be relied on', () => {
    expect(flawsIn(ERRORS)).toEqual([]);
  });

  const good: Kind = { status: 400, exit: EXIT.usage, message: '{value} is bad', hint: 'Do better.' };
  test.each<[Catalogue, string]>([
    [{ BadCode: good }, 'BadCode is not in snake_case'],
    [{ bad_code: { ...good, exit: EXIT.conflict } }, 'bad_code: exit code 4 does not go with status 400'],
    [{ bad_code: { ...good, status: 418 } }, 'bad_code: exit code 2 does not go with status 418'],
    [{ bad_code: { ...good, message: 'it is bad' } }, 'bad_code: the message quotes nothing'],
    [{ bad_code: { ...good, message: '{value} is bad.' } }, 'bad_code: the message is not a clause'],
    [{ bad_code: { ...good, hint: '' } }, 'bad_code: the hint is not a sentence'],
  ])('%j is flawed: %s', (catalogue, sentence) => {
    expect(flawsIn(catalogue)).toEqual([sentence]);
  });

  test('two codes with one message are flawed', () => {
    expect(flawsIn({ one_code: good, other_code: good })).toHaveLength(2);
  });

  test('names documents that exist', () => {
    const named = new Set(JSON.stringify(ERRORS).match(/docs\/[\w.-]+\.md/g));
    expect([...named].filter((document) => !existsSync(join(ROOT, document)))).toEqual([]);
  });

  test('has no code that nothing uses', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts') && file !== join('model', 'errors.ts'))
      .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'));
    expect(unusedIn(Object.keys(ERRORS), sources)).toEqual([]);
    expect(unusedIn(['port_malformed', 'no_such_code'], sources)).toEqual(['no_such_code']);
  });
});
