import type { Document, LineCounter, YAMLError } from 'yaml';
import { isRecord } from '../../client/guards.ts';
import { HatobaError, hatobaError, reasonOf } from '../../model/errors.ts';

/** A file of forwards as users write them; what they may be is for the API to say. */
export interface WishFile {
  readonly forwards: readonly unknown[];
  /** Of forwards that name none. */
  readonly router: string | undefined;
  /** The API's error with the line of the file at fault. */
  locate(error: unknown): Promise<unknown>;
}

/** Reads `{forwards: […], router: …}` as YAML or JSON. Error: `file_malformed`. */
export async function readWishFile(file: string, text: string): Promise<WishFile> {
  const { value, source } = readJson(text) ?? (await readYaml(file, text));
  const { forwards, router, ...others } = isRecord(value) ? value : {};
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw malformed(file, `there is no key ${stranger}, only forwards and router`);
  if (!Array.isArray(forwards)) throw malformed(file, 'it has no list called forwards');
  if (router !== undefined && typeof router !== 'string') throw malformed(file, 'router is not a text');
  const list: readonly unknown[] = forwards;
  return Object.freeze({
    forwards: list,
    router,
    locate: async (error: unknown) => locate(file, await source(), error),
  });
}

/** A text with its lines, for messages. */
interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

interface Read {
  readonly value: unknown;
  readonly source: () => Promise<Source>;
}

/**
 * Far faster than YAML, of which JSON is a part. Null: it is none, but may be YAML; otherwise the reader of that says
 * in which line it is neither.
 */
function readJson(text: string): Read | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    return { value: JSON.parse(text), source: () => open(text) };
  } catch {
    return null;
  }
}

async function readYaml(file: string, text: string): Promise<Read> {
  try {
    const source = await open(text);
    const [error] = source.document.errors;
    if (error !== undefined) throw malformed(file, reasonIn(error, source.lines));
    return { value: source.document.toJS(), source: () => Promise.resolve(source) };
  } catch (failure) {
    if (failure instanceof HatobaError) throw failure;
    // Aliases that grow without bound, and what is nested deeper than there is stack for.
    throw malformed(file, reasonOf(failure));
  }
}

async function open(text: string): Promise<Source> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  return { document: yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines };
}

function reasonIn(error: YAMLError, lines: LineCounter): string {
  return `line ${lines.linePos(error.pos[0]).line}: ${error.message}`;
}

function malformed(file: string, reason: string): Error {
  return hatobaError('file_malformed', { file, reason });
}

/** The error with the line of the field at fault, or of what the field should be in. */
async function locate(file: string, { document, lines }: Source, error: unknown): Promise<unknown> {
  if (!(error instanceof HatobaError) || error.field === undefined) return error;
  const { isNode } = await import('yaml');
  const { code, message, hint, field, cause } = error;
  for (let path = field.split('.'); path.length > 0; path = path.slice(0, -1)) {
    const node = document.getIn(path.map(keyOf), true);
    if (!isNode(node) || !node.range) continue;
    const place = `${file}:${lines.linePos(node.range[0]).line}`;
    return new HatobaError(code, `${place}: ${message}`, hint, { field, cause });
  }
  return error;
}

function keyOf(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}
