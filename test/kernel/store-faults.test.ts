import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-faults-'));
  file = join(directory, 'hatoba.db');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'hatoba-faults', directory]);
});

afterEach(() => {
  execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
});

describe('a full disk', () => {
  test('refuses commits, keeps what was acknowledged, and is over when there is space again', async () => {
    const ballast = join(directory, 'ballast');
    writeFileSync(ballast, Buffer.alloc(300_000));
    const store = openSqliteStore(file);
    const acknowledged = await commitUntilFull(store);
    expect(acknowledged).toBeGreaterThan(10);
    expect(await keys(store)).toBe(acknowledged);
    await expect(put(store, acknowledged + 1)).rejects.toMatchObject({ code: 'store_full' });
    rmSync(ballast);
    expect(await put(store, acknowledged + 1)).toBe(acknowledged + 1);
    await store.close();
    const again = openSqliteStore(file);
    expect(await keys(again)).toBe(acknowledged + 1);
    await again.close();
  });

  test('still gives everything after a new start', async () => {
    const store = openSqliteStore(file);
    const acknowledged = await commitUntilFull(store);
    await store.close();
    const again = openSqliteStore(file);
    expect(await keys(again)).toBe(acknowledged);
    await again.close();
  });

  test('does not let a database begin', () => {
    expect(() => writeFileSync(join(directory, 'ballast'), Buffer.alloc(2_000_000))).toThrow('ENOSPC');
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_full' }));
  });
});

describe('a file system that is read-only', () => {
  test('does not let a database begin', () => {
    remount('ro');
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_read_only' }));
    expect(readdirSync(directory)).toEqual([]);
  });

  test('leaves a database that is there alone', async () => {
    const store = openSqliteStore(file);
    await put(store, 1);
    await store.close();
    const before = readFileSync(file);
    remount('ro');
    expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_read_only' }));
    expect(readFileSync(file).equals(before)).toBe(true);
    remount('rw');
    const again = openSqliteStore(file);
    expect(await keys(again)).toBe(1);
    await again.close();
  });

  test('a file alone that is read-only is found, too', async () => {
    await openSqliteStore(file).close();
    execFileSync('mount', ['--bind', file, file]);
    execFileSync('mount', ['-o', 'remount,bind,ro', file]);
    try {
      expect(() => openSqliteStore(file)).toThrow(expect.objectContaining({ code: 'store_read_only' }));
    } finally {
      execFileSync('umount', [file]);
    }
  });
});

function remount(mode: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${mode}`, directory]);
}

async function put(store: Store, count: number): Promise<number> {
  const puts = [{ key: `k/${count}`, value: JSON.stringify('x'.repeat(2000)) }];
  const result = await store.commit({ puts });
  return result.committed ? result.revision : 0;
}

/** How many commits were acknowledged, one key each, before one failed. */
async function commitUntilFull(store: Store): Promise<number> {
  for (let count = 1; ; count++) {
    try {
      expect(await put(store, count)).toBe(count);
    } catch (error) {
      expect(error).toMatchObject({ code: 'store_full' });
      return count - 1;
    }
  }
}

async function keys(store: Store): Promise<number> {
  const { revision, entries } = await store.read('k/');
  expect(revision).toBe(entries.length);
  return entries.length;
}
