import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readKeyPair } from '../../src/api/listen/key-pair.ts';
import { readWishFile } from '../../src/cli/transfer/wish-file.ts';
import { readAuthorities } from '../../src/daemon/authorities.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { parseConfig } from '../../src/daemon/config-file.ts';
import { openUsageFile } from '../../src/daemon/usage-file.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-hostile-files-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const BOMB = `a: &a [x,x,x,x,x,x,x,x,x]
${Array.from('bcdefghi', (name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join(',')}]`).join('\n')}
`;

test.each([
  { what: 'aliases that grow without bound', text: BOMB },
  { what: 'nesting that is deeper than the stack', text: `node: ${'['.repeat(100_000)}` },
  { what: 'nested keys', text: Array.from({ length: 3_000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n') },
])('a configuration with $what is malformed', ({ text }) => {
  expect(() => parseConfig('hatoba.yaml', text)).toThrow(expect.objectContaining({ code: 'config_malformed' }));
});

test.each([BOMB, `forwards: ${'['.repeat(100_000)}`])('a manifest like that is malformed, too', async (text) => {
  await expect(readWishFile('forwards.yaml', text)).rejects.toMatchObject({ code: 'file_malformed' });
});

describe('a file that is no regular file is refused, and nothing waits for it', () => {
  test.each(['pipe', 'directory', 'device'])('%s', async (kind) => {
    const path = kind === 'device' ? '/dev/zero' : join(directory, kind);
    if (kind === 'pipe') execFileSync('mkfifo', [path]);
    if (kind === 'directory') mkdirSync(path);
    expect(() => loadConfig({ config: path }, {})).toThrow(expect.objectContaining({ code: 'config_malformed' }));
    expect(() => readAuthorities(path)).toThrow(/regular file/);
    await expect(readKeyPair({ certificate: path, key: path })).rejects.toMatchObject({
      code: 'key_pair_unusable',
      message: expect.stringContaining('regular file'),
    });
  });
});

describe('a link that another user has put beside the database is not followed', () => {
  test('the draft of the last uses', async () => {
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, join(directory, 'hatoba.db.usage.new'));
    await openUsageFile(join(directory, 'hatoba.db.usage')).remember([]);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
  });

  test('a database that is not there yet', () => {
    symlinkSync(join(directory, 'elsewhere'), join(directory, 'hatoba.db'));
    expect(() => openSqliteStore(join(directory, 'hatoba.db'))).toThrow(/EEXIST/);
  });
});
