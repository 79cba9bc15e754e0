import { readFileSync } from 'node:fs';
import { Check, Errors } from 'typebox/value';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { hatobaError, reasonOf } from '../model/errors.ts';
import { ConfigFile } from './config-schema.ts';

/** Reads one YAML file. Error `config_malformed` names the line and what is wrong there. */
export function readConfigFile(file: string): ConfigFile {
  return parseConfig(file, readText(file));
}

/** `file`: what errors call it. */
export function parseConfig(file: string, text: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const { line } = lines.linePos(mistake.pos[0]);
    throw hatobaError('config_malformed', { file: `${file}:${line}`, reason: mistake.message }, { cause: mistake });
  }
  const value: unknown = document.toJS() ?? {};
  if (Check(ConfigFile, value)) return value;
  const { path, reason } = firstMistake(value);
  throw hatobaError('config_malformed', { file: `${file}${lineOf(document, lines, path)}`, reason });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw hatobaError('config_malformed', { file, reason: reasonOf(error) }, { cause: error });
  }
}

function firstMistake(value: unknown): { path: readonly string[]; reason: string } {
  for (const error of Errors(ConfigFile, value)) {
    const path = error.instancePath.split('/').slice(1);
    if (error.keyword === 'additionalProperties') {
      const [key = ''] = error.params.additionalProperties;
      return { path: [...path, key], reason: `there is no key ${[...path, key].join('.')}` };
    }
    if (error.keyword === 'enum') {
      return { path, reason: `${path.join('.')} must be one of ${error.params.allowedValues.join(', ')}` };
    }
    return { path, reason: `${path.join('.') || 'the file'} ${error.message}` };
  }
  return { path: [], reason: 'it does not have the form of a configuration' };
}

function lineOf(document: Document, lines: LineCounter, path: readonly string[]): string {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length).map(indexOrKey), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    const start: unknown = Array.isArray(range) ? range[0] : undefined;
    if (typeof start === 'number') return `:${lines.linePos(start).line}`;
  }
  return '';
}

function indexOrKey(part: string): string | number {
  return /^\d+$/.test(part) ? Number(part) : part;
}
