import type { ErrorObject } from 'ajv';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { hatobaError, reasonOf } from '../model/errors.ts';
import type { ConfigFile } from './config-schema.ts';
import { type ConfigValidator, compileConfigValidator } from './config-validator.ts';
import { readNamedFile } from './named-file.ts';

/** Reads one YAML file. Error `config_malformed` names the line and what is wrong there. */
export function readConfigFile(file: string, validate: ConfigValidator): ConfigFile {
  return parseConfig(file, readNamedFile(file), validate);
}

/** `file`: what errors call it. */
export function parseConfig(file: string, text: string, validate = compileConfigValidator()): ConfigFile {
  const lines = new LineCounter();
  const document = inFile(file, () => parseDocument(text, { lineCounter: lines, prettyErrors: false }));
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const { line } = lines.linePos(mistake.pos[0]);
    throw hatobaError('config_malformed', { file: `${file}:${line}`, reason: mistake.message }, { cause: mistake });
  }
  const value: unknown = inFile(file, () => document.toJS()) ?? {};
  if (validate(value)) return value;
  const { path, reason } = describe(mistakeOf(validate.errors ?? []));
  throw hatobaError('config_malformed', { file: `${file}${lineOf(document, lines, path)}`, reason });
}

/** Aliases that grow without bound, and what is nested deeper than there is stack for, are errors of the file, too. */
function inFile<Value>(file: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw hatobaError('config_malformed', { file, reason: reasonOf(error) }, { cause: error });
  }
}

function describe(error: ErrorObject | undefined): { path: readonly string[]; reason: string } {
  const path = error?.instancePath.split('/').slice(1) ?? [];
  const where = path.join('.') || 'the file';
  if (error?.keyword === 'additionalProperties') {
    const whole = [...path, String(error.params['additionalProperty'])];
    return { path: whole, reason: `there is no key ${whole.join('.')}` };
  }
  if (error?.keyword === 'enum') {
    return { path, reason: `${where} must be one of ${String(error.params['allowedValues']).replaceAll(',', ', ')}` };
  }
  if (error?.keyword === 'format') return { path, reason: `${where} must be ${formOf(error)}` };
  if (error?.keyword === 'oneOf') return { path, reason: `${where} needs either a password or a password_file` };
  return { path, reason: `${where} ${error?.message ?? 'does not have the form of a configuration'}` };
}

/** Where none of several forms fits, every form has an error of its own, before that which says so. */
function mistakeOf(errors: readonly ErrorObject[]): ErrorObject | undefined {
  return errors.find(({ keyword }) => keyword === 'oneOf') ?? errors[0];
}

const FORMS: Readonly<Record<string, string>> = {
  ports: 'a port or a range of ports, such as 20000-29999',
  network: 'an address or a network, such as 203.0.113.7 or 203.0.113.0/28',
  'web-address': 'an address that begins with http:// or https://, without user, password and query',
};

function formOf(error: ErrorObject): string {
  return FORMS[String(error.params['format'])] ?? 'of another form';
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
