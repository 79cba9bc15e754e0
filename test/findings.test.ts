import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FINDING_LEVELS, FINDINGS, type FindingLevel } from '../src/model/finding-catalogue.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs/findings.md');

interface Kind {
  readonly level: FindingLevel;
  readonly seen: string;
  readonly advice: string;
}
type Catalogue = Readonly<Record<string, Kind>>;

const INTRODUCTION = `# Findings

Everything that \`hatoba doctor\` can find, by codes that stay the same from version to version. Scripts go by the code or
by the level, never by the sentence.

- A **problem** keeps packets from getting through, or a forward from being what was wanted; with one, \`hatoba doctor\`
  ends with 1.
- A **warning** may do so, or will.
- What is **ok** was looked at, and is as it should be; sometimes there is something to add.

In the tables, \`{value}\` and the like stand for what was seen there.

This page is made from the catalogue in \`src/model/finding-catalogue.ts\`; \`UPDATE_DOCS=1 npx vitest run test/findings.test.ts\`
writes it again.
`;

const TITLES: Readonly<Record<FindingLevel, string>> = { problem: 'Problems', warning: 'Warnings', ok: 'What is ok' };

/** docs/findings.md, whole. */
function pageOf(catalogue: Catalogue): string {
  const sections = FINDING_LEVELS.toReversed().flatMap((level) => [
    `\n## ${TITLES[level]}\n`,
    '| code | seen | advice |',
    '| --- | --- | --- |',
    ...Object.entries(catalogue)
      .filter(([, kind]) => kind.level === level)
      .map(([code, { seen, advice }]) => `| \`${code}\` | ${cell(seen)} | ${cell(advice)} |`),
  ]);
  return [INTRODUCTION.trimEnd(), ...sections, ''].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** In what a catalogue is not as users can rely on it, one sentence each. */
function flawsIn(catalogue: Catalogue): readonly string[] {
  return Object.entries(catalogue).flatMap(([code, { level, seen, advice }]) => [
    ...flaw(!/^[a-z]+(_[a-z]+)+$/.test(code), `${code} is not in snake_case`),
    ...flaw(/[.!]$/.test(seen), `${code}: what was seen is not a clause`),
    ...flaw(level !== 'ok' && advice === '', `${code}: nothing is said of what to do`),
    ...flaw(advice !== '' && !/^[A-Zh`].*[.?]$/.test(advice), `${code}: the advice is not a sentence`),
  ]);
}

function flaw(is: boolean, sentence: string): readonly string[] {
  return is ? [sentence] : [];
}

describe('docs/findings.md', () => {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, pageOf(FINDINGS));

  test('is what the catalogue says', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(pageOf(FINDINGS));
  });
});

describe('the catalogue', () => {
  test('can be relied on', () => {
    expect(flawsIn(FINDINGS)).toEqual([]);
  });

  const good: Kind = { level: 'problem', seen: 'it is off', advice: 'Switch it on.' };
  test.each<[Catalogue, string]>([
    [{ Off: good }, 'Off is not in snake_case'],
    [{ is_off: { ...good, seen: 'It is off.' } }, 'is_off: what was seen is not a clause'],
    [{ is_off: { ...good, advice: '' } }, 'is_off: nothing is said of what to do'],
    [{ is_off: { ...good, advice: 'switch' } }, 'is_off: the advice is not a sentence'],
  ])('flaws are seen: %j', (catalogue, sentence) => {
    expect(flawsIn(catalogue)).toEqual([sentence]);
  });

  test('has nothing that nobody finds', () => {
    const directory = join(ROOT, 'src/program/diagnosis');
    const sources = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
    const unused = Object.keys(FINDINGS).filter((code) => !sources.some((source) => source.includes(`'${code}'`)));
    expect(unused).toEqual([]);
  });
});
