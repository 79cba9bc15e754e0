import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/daemon/config.ts';
import { parseConfig } from '../../src/daemon/config-file.ts';
import { CONFIG_SCHEMA } from '../../src/daemon/config-schema.ts';
import { ERRORS } from '../../src/model/error-catalogue.ts';
import { FORWARD_STATES } from '../../src/model/status.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const CONFIGURATION = sectionOf(PAGE, 'Configuration');

/** What stands between a heading of the second level and the next one. */
function sectionOf(page: string, heading: string): string {
  const [, rest = ''] = page.split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** The cells of each row of the table whose first title this is. */
function tableOf(section: string, titles: string): readonly (readonly string[])[] {
  const [, rest = ''] = section.split(`| ${titles} |\n`);
  const [table = ''] = rest.split('\n\n');
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) => line.split('|').slice(1, -1).map(uncoded));
}

/** The cell without the back quotes, where it is nothing but code. */
function uncoded(cell: string): string {
  return /^`([^`]*)`$/.exec(cell.trim())?.[1] ?? cell.trim();
}

/** Every key of a JSON Schema, those of objects and of the objects in lists with the way to them. */
function keysOf(schema: unknown, way = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  if ('items' in schema) return keysOf(schema.items, `${way}[]`);
  if (!('properties' in schema) || typeof schema.properties !== 'object' || schema.properties === null) return [];
  return Object.entries(schema.properties).flatMap(([name, inner]) => {
    const key = way === '' ? name : `${way}.${name}`;
    return [key, ...keysOf(inner, key)];
  });
}

/** Of the keys of objects and of those in lists, the ones that may not be left out. */
function requiredOf(schema: unknown, way = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  if ('items' in schema) return requiredOf(schema.items, `${way}[]`);
  if (!('properties' in schema) || typeof schema.properties !== 'object' || schema.properties === null) return [];
  const names = 'required' in schema && Array.isArray(schema.required) ? schema.required : [];
  const inner = Object.entries(schema.properties).flatMap(([name, part]) => {
    return requiredOf(part, way === '' ? name : `${way}.${name}`);
  });
  return [...names.map((name) => `${way}.${name}`), ...inner];
}

const KEYS = tableOf(CONFIGURATION, 'key | default | meaning');
const SOURCES = tableOf(CONFIGURATION, 'key | variable | flag');
const EXAMPLE = /```yaml\n(.*?)```/s.exec(CONFIGURATION)?.[1] ?? '';

let directory = '';
let config = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-page-'));
  config = join(directory, 'hatoba.yaml');
  writeFileSync(config, '');
});

afterAll(() => rmSync(directory, { recursive: true }));

function settings(flags: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv): Map<string, unknown> {
  return new Map(Object.entries(loadConfig({ config, ...flags }, environment)));
}

describe('the table of keys', () => {
  test('has every key of the configuration, in order, and no other', () => {
    expect(KEYS.map(([key]) => key)).toEqual(keysOf(CONFIG_SCHEMA));
  });

  test('would miss a key, at every depth', () => {
    const inner = { type: 'object', properties: { b: { type: 'string' } } };
    const schema = { properties: { a: inner, list: { type: 'array', items: inner } } };
    expect(keysOf(schema)).toEqual(['a', 'a.b', 'list', 'list[].b']);
  });

  test('has the defaults that count', () => {
    const documented = KEYS.filter(([key = '']) => !/[.[]/.test(key)).map(([key, value = '']) => [
      key,
      key === 'node' && value === "the host's name" ? hostname() : parse(value),
    ]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(settings({}, {})));
  });

  test('says what is required', () => {
    const inner = KEYS.filter(([key = '']) => /[.[]/.test(key));
    const required = new Set(requiredOf(CONFIG_SCHEMA));
    expect(inner.filter(([, value]) => value === 'required').map(([key]) => key)).toEqual([...required]);
  });
});

describe('the example', () => {
  test('is a configuration', () => {
    expect(parseConfig('example', EXAMPLE)).toMatchObject({ node: 'net1' });
  });

  test('has every key', () => {
    const outermost = KEYS.flatMap(([key = '']) => (/[.[]/.test(key) ? [] : [key]));
    expect(Object.keys(parseConfig('example', EXAMPLE))).toEqual(outermost);
  });
});

describe('the table of variables and flags', () => {
  /** None of them is a default. */
  const samples = new Map<string, unknown>([...Object.entries(parseConfig('example', EXAMPLE)), ['roles', ['agent']]]);
  const variables = SOURCES.filter(([, variable]) => variable !== '');
  const flags = SOURCES.filter(([, , flag]) => flag !== '');

  test.each(variables)('%s is set by %s', (key = '', variable = '') => {
    expect(settings({}, { [variable]: String(samples.get(key)) }).get(key)).toEqual(samples.get(key));
  });

  test.each(flags)('%s is set by a flag (%s%s)', (key = '', _variable = '', flag = '') => {
    const name = /^`?--(\w+)/.exec(flag)?.[1] ?? '';
    expect(settings({ [name]: String(samples.get(key)) }, {}).get(key)).toEqual(samples.get(key));
  });

  test('has every variable', () => {
    const source = readFileSync(join(ROOT, 'src/daemon/config.ts'), 'utf8');
    const read = [...source.matchAll(/environment\['(\w+)'\]/g)].map(([, name = '']) => name);
    expect([...variables.map(([, variable = '']) => variable), 'HATOBA_CONFIG'].sort(byText)).toEqual(
      read.sort(byText),
    );
    expect(CONFIGURATION).toContain('`HATOBA_CONFIG`');
  });
});

describe('the page', () => {
  test('explains every state of a forward', () => {
    const states = tableOf(sectionOf(PAGE, 'States of a forward'), 'state | meaning | what to do');
    expect(states.map(([state = '']) => state).sort(byText)).toEqual([...FORWARD_STATES].sort(byText));
  });

  test('names errors of the store as the catalogue does', () => {
    const errors = tableOf(sectionOf(PAGE, 'The database'), 'error | what happened | what to do');
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.flatMap(([code = '']) => (code in ERRORS ? [] : [code]))).toEqual([]);
  });

  test('has every message that the program logs, with its level, and no other', () => {
    const rows = sectionOf(PAGE, 'Logs').matchAll(/^\| (debug|info|warn|error) \| (.*?) \|/gm);
    const documented = Array.from(rows, ([, level, messages = '']) =>
      Array.from(messages.matchAll(/`([^`]+)`/g), ([, message]) => `${level}: ${message}`),
    ).flat();
    const logged = loggedMessages(sourceText());
    expect(logged.length).toBeGreaterThan(10);
    expect(documented.sort(byText)).toEqual(logged);
  });

  test('would miss a message, whatever stands before it', () => {
    const source = `log.info('one'); request.log.warn({ err: error }, 'two'); onWarning('three', { id });
      log.error(\n  { instance: place.instance.id, f: () => 1 },\n  'four',\n); log.info(\`five \${value}\`);
      log.error({ err: error }, told.message);`;
    expect(loggedMessages(source)).toEqual(['error: four', 'info: five ', 'info: one', 'warn: three', 'warn: two']);
  });
});

/** `level: message` of every call of a logger that has a message of its own, up to what is filled in. */
function loggedMessages(source: string): readonly string[] {
  const calls = source.matchAll(
    /\blog\.(debug|info|warn|error)\([^'`;]*['`]([^'`$]+)|\bonWarning\([^'`;]*['`]([^'`$]+)/g,
  );
  const messages = Array.from(calls, ([, level = 'warn', message, warning]) => `${level}: ${message ?? warning}`);
  return [...new Set(messages)].sort(byText);
}

function sourceText(): string {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  return sources.map((file) => readFileSync(join(ROOT, 'src', file), 'utf8')).join('\n');
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
