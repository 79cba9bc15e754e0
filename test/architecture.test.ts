import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violations } from './architecture/rules.ts';
import { readSources } from './architecture/source-file.ts';

const SOURCES = join(import.meta.dirname, '../src');

/** What the rules say of a source tree with these files. */
function judge(files: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'hatoba-architecture-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return violations(readSources(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('the source tree keeps the rules of the house', () => {
  const files = readSources(SOURCES);
  expect(files.length).toBeGreaterThan(15);
  expect(files.some((file) => file.imports.some((one) => !one.isPackage))).toBe(true);
  expect(violations(files)).toEqual([]);
});

describe('arrows run downward only', () => {
  test.each([
    ['model/a.ts', "import { b } from '../program/b.ts';", 'program/b.ts (static)'],
    ['model/a.ts', "import type { B } from '../store/b.ts';", 'store/b.ts (type)'],
    ['model/a.ts', "import { join } from 'node:path';", 'node:path (static)'],
    ['program/a.ts', "import { Type } from 'typebox';", 'typebox (static)'],
    ['interchange/a.ts', "import { readFile } from 'node:fs/promises';", 'node:fs/promises (static)'],
    ['interchange/a.ts', "import type { B } from '../registry/b.ts';", 'registry/b.ts (type)'],
    ['program/a.ts', "export * from '../kernel/b.ts';", 'kernel/b.ts (static)'],
    ['store/sqlite/a.ts', "import { b } from '../../registry/b.ts';", 'registry/b.ts (static)'],
    ['registry/a.ts', "export { b } from '../agent/b.ts';", 'agent/b.ts (static)'],
    ['registry/a.ts', "export type { B } from '../program/b.ts';", 'program/b.ts (type)'],
    ['kernel/a.ts', "type B = import('../program/b.ts').B;", 'program/b.ts (type)'],
    ['kernel/a.ts', "const f = () => import('../dataplane/b.ts');", 'dataplane/b.ts (dynamic)'],
    ['dataplane/a.ts', "const f = () => new URL('../agent/b.ts', import.meta.url);", 'agent/b.ts (dynamic)'],
    ['dataplane/a.ts', "import type { B } from '../registry/b.ts';", 'registry/b.ts (type)'],
    ['agent/a.ts', "import type { B } from '../kernel/b.ts';", 'kernel/b.ts (type)'],
    ['api/v1/a.ts', "import type { B } from '../../agent/b.ts';", 'agent/b.ts (type)'],
    ['lab/a.ts', "import { b } from '../kernel/b.ts';", 'kernel/b.ts (static)'],
    ['cli/a.ts', "import type { B } from '../api/b.ts';", 'api/b.ts (type)'],
    ['client/a.ts', "import { request } from 'node:http';", 'node:http (static)'],
    ['client/a.ts', "import type { B } from '../cli/b.ts';", 'cli/b.ts (type)'],
    ['cli/a.ts', "import { b } from '../daemon/b.ts';", 'daemon/b.ts (static)'],
    ['cli/a.ts', "import type { B } from '../registry/b.ts';", 'registry/b.ts (type)'],
    ['daemon/a.ts', "import { b } from '../cli/b.ts';", 'cli/b.ts (static)'],
    ['lab/a.ts', "import koffi from 'koffi';", 'koffi (static)'],
    ['agent/a.ts', "import { spawn } from 'node:child_process';", 'node:child_process (static)'],
    ['registry/a.ts', "import { DatabaseSync } from 'node:sqlite';", 'node:sqlite (static)'],
  ])('%s: %s', (path, text, arrow) => {
    expect(judge({ [path]: text })).toEqual([`${path} imports ${arrow}`]);
  });

  test('those that run downward are welcome', () => {
    const files = {
      'cli/a.ts': "import type { A } from '../client/a.ts';\nconst f = () => import('../daemon/a.ts');",
      'cli/b.ts': "import { e } from '../model/e.ts';\nimport { a } from './a.ts';",
      'kernel/a.ts': "import koffi from 'koffi';\nconst f = () => new URL('./worker.ts', import.meta.url);",
      'lab/a.ts': "import { spawn } from 'node:child_process';",
      'daemon/a.ts': "import { b } from '../agent/b.ts';",
      'model/e.ts': "// import { x } from '../store/x.ts'\nexport const text = \"from '../store/x.ts'\";",
    };
    expect(judge(files)).toEqual([]);
  });
});

test('circles are found, of two files and of more, by types too', () => {
  expect(
    judge({ 'model/a.ts': "import { b } from './b.ts';", 'model/b.ts': "import type { A } from './a.ts';" }),
  ).toEqual(['cycle: model/a.ts → model/b.ts → model/a.ts']);
  const three = {
    'model/a.ts': "import { b } from './b.ts'; import { c } from './c.ts';",
    'model/b.ts': "import { c } from './c.ts';",
    'model/c.ts': "import { b } from './b.ts';",
  };
  expect(judge(three)).toEqual(['cycle: model/b.ts → model/c.ts → model/b.ts']);
});

describe('what a file must not hold', () => {
  test.each([
    ['other/a.ts', '', 'other/a.ts is in no room'],
    ['a.ts', '', 'a.ts is in no room'],
    ['model/a.ts', '// line\n'.repeat(301), 'model/a.ts has 301 lines'],
    ['model/a.ts', 'export default function a() {}', 'model/a.ts: default export'],
    ['model/a.ts', 'const a = 1; export { a as default };', 'model/a.ts: default export'],
    ['model/a.ts', 'export let a = 1;', 'model/a.ts: mutable module state'],
    ['model/a.ts', 'let a = 1;', 'model/a.ts: mutable module state'],
    ['agent/a.ts', 'start();', 'agent/a.ts: work at import'],
    ['agent/a.ts', 'if (import.meta.url) start();', 'agent/a.ts: work at import'],
    ['agent/a.ts', 'for (const a of []) a();', 'agent/a.ts: work at import'],
    ['agent/a.ts', 'const f = () => process.exit(1);', 'agent/a.ts: process.exit'],
    ['agent/a.ts', "const f = () => process['exit'](1);", 'agent/a.ts: process.exit'],
    ['lab/a.ts', "const f = (run) => run('ls', { shell: true });", 'lab/a.ts: shell'],
    ['lab/a.ts', "const f = (run) => run('ls', { shell: '/bin/sh' });", 'lab/a.ts: shell'],
    ['cli/a.ts', 'const f = (name) => import(name);', 'cli/a.ts: computed import'],
  ])('%s: %s', (path, text, violation) => {
    expect(judge({ [path]: text })).toEqual([violation]);
  });

  test('the like of it that is allowed', () => {
    const files = {
      'model/a.ts': '// line\n'.repeat(300),
      'cli/a.ts': 'export function a() { let b = 1; process.exit(b); }',
      'lab/a.ts': "const f = (run) => run('ls', { shell: false });",
      'lab/b.ts': 'if (import.meta.main) { process.exit(1); }',
      'kernel/worker.ts': 'start();',
      'store/a.ts': 'export type A = 1; export interface B {} export class C {} export const d = 1; export { d as e };',
    };
    expect(judge(files)).toEqual([]);
  });
});
