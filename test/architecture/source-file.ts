import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

export type ImportKind = 'type' | 'static' | 'dynamic';

/** One arrow out of a file: to another file (a path below the root), or to a package. */
export interface Import {
  readonly kind: ImportKind;
  readonly to: string;
  readonly isPackage: boolean;
}

/** What the rules of the house look at in one source file. */
export interface SourceFile {
  /** Below the root, with slashes: `model/address.ts`. */
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** Things a file must not hold, or only in certain rooms: see `rules.ts`. */
  readonly traits: ReadonlySet<Trait>;
}

export type Trait =
  | 'default export'
  | 'mutable module state'
  | 'work at import'
  | 'process.exit'
  | 'shell'
  | 'computed import';

/** Every TypeScript file below `root`, parsed. */
export function readSources(root: string): readonly SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => posix.relative(root, posix.join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => readSource(path, readFileSync(posix.join(root, path), 'utf8')));
}

function readSource(path: string, text: string): SourceFile {
  const statements = topLevel(parseAst(text, { lang: 'ts' }, path));
  const library = statements.filter((statement) => !isMainBlock(statement));
  return {
    path,
    room: path.includes('/') ? path.slice(0, path.indexOf('/')) : '',
    lines: text.trimEnd().split('\n').length,
    imports: [...nodes(statements)].flatMap((node) => importOf(node, path)),
    traits: new Set([...[...nodes(library)].flatMap(traitsOf), ...library.flatMap(moduleTraitsOf)]),
  };
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function* nodes(value: unknown): Iterable<Node> {
  if (Array.isArray(value)) for (const part of value) yield* nodes(part);
  if (!isNode(value)) return;
  yield value;
  for (const part of Object.values(value)) if (typeof part === 'object') yield* nodes(part);
}

function topLevel(program: unknown): readonly Node[] {
  const body = isNode(program) ? program['body'] : [];
  return Array.isArray(body) ? body.filter(isNode) : [];
}

/** `if (import.meta.main) …`: what a file does as a program of its own, and not when it is imported. */
function isMainBlock(statement: Node): boolean {
  const test = statement.type === 'IfStatement' ? statement['test'] : null;
  const isMain = isNode(test) && test.type === 'MemberExpression' && nameOf(test['property']) === 'main';
  return isMain && isNode(test['object']) && test['object'].type === 'MetaProperty';
}

function importOf(node: Node, from: string): readonly Import[] {
  const kind = kindOf(node);
  const to = kind === null ? null : targetOf(node);
  if (kind === null || to === null || isData(to)) return [];
  const isPackage = !to.startsWith('.');
  return [{ kind, isPackage, to: isPackage ? to : posix.join(posix.dirname(from), to) }];
}

function kindOf(node: Node): ImportKind | null {
  switch (node.type) {
    case 'ImportDeclaration':
      return node['importKind'] === 'type' ? 'type' : 'static';
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return node['exportKind'] === 'type' ? 'type' : 'static';
    case 'TSImportType':
      return 'type';
    case 'ImportExpression':
    case 'NewExpression':
      return 'dynamic';
    default:
      return null;
  }
}

/** What an import names; also the file of `new URL('./worker.ts', import.meta.url)`. */
function targetOf(node: Node): string | null {
  if (node.type !== 'NewExpression') return literal(node['source']);
  const [file] = Array.isArray(node['arguments']) ? node['arguments'] : [];
  const isUrl = isNode(node['callee']) && node['callee']['name'] === 'URL';
  return isUrl && literal(file)?.endsWith('.ts') === true ? literal(file) : null;
}

/** `package.json`, say: no code, so no arrow. */
function isData(to: string): boolean {
  return to.startsWith('.') && !to.endsWith('.ts');
}

function literal(value: unknown): string | null {
  return isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string' ? value['value'] : null;
}

function nameOf(value: unknown): unknown {
  return isNode(value) ? (value['name'] ?? value['value']) : undefined;
}

function traitsOf(node: Node): readonly Trait[] {
  if (node.type === 'ExportDefaultDeclaration') return ['default export'];
  if (node.type === 'ExportSpecifier' && nameOf(node['exported']) === 'default') return ['default export'];
  if (node.type === 'ImportExpression' && literal(node['source']) === null) return ['computed import'];
  if (node.type === 'MemberExpression' && nameOf(node['object']) === 'process' && nameOf(node['property']) === 'exit') {
    return ['process.exit'];
  }
  if (node.type === 'Property' && nameOf(node['key']) === 'shell' && nameOf(node['value']) !== false) return ['shell'];
  return [];
}

/** A module may declare; it may neither keep a variable nor do anything when it is imported. */
function moduleTraitsOf(statement: Node): readonly Trait[] {
  const declaration = isNode(statement['declaration']) ? statement['declaration'] : statement;
  if (declaration.type === 'VariableDeclaration') {
    return declaration['kind'] === 'const' ? [] : ['mutable module state'];
  }
  const declares = /^(?:Import|Export|TS\w+)?\w*Declaration$/.test(declaration.type);
  return declares || statement.type.startsWith('Export') ? [] : ['work at import'];
}
