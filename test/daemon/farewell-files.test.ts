import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFarewellFiles } from '../../src/daemon/farewell-files.ts';
import { parseCidr } from '../../src/model/cidr.ts';
import { ruleOf } from '../program/programs.ts';

const ONE = ruleOf(1, 'tcp', ['198.51.100.1', 5001], ['10.20.0.11', 22]);
const WIDE = ruleOf(2, 'udp', ['2001:db8:100::1', '5000-5009'], ['fd00:20::11', '7000-7009']);
const GUARDED = { ...ONE, sources: ['192.0.2.0/24', '203.0.113.7/32'].map(parseCidr) };

let parent: string;
let directory: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'hatoba-farewells-'));
  directory = join(parent, 'hatoba.db.leaving');
});

afterEach(() => rmSync(parent, { recursive: true }));

test('gives back what was remembered, of each instance, until it is forgotten', async () => {
  const files = openFarewellFiles(directory);
  expect(await files.recall('qrouter-1')).toEqual([]);
  await files.remember('qrouter-1', [ONE, WIDE]);
  await files.remember('qrouter-1', [GUARDED]);
  await files.remember('host', [WIDE]);
  const next = openFarewellFiles(directory);
  expect(await next.recall('qrouter-1')).toEqual([ONE, WIDE, GUARDED]);
  expect(statSync(join(directory, 'host')).mode & 0o777).toBe(0o600);
  await next.forget('qrouter-1');
  await next.forget('nobody');
  expect(await next.recall('qrouter-1')).toEqual([]);
  expect(readdirSync(directory)).toEqual(['host']);
});

test('leaves out lines that cannot be read, and goes on behind one that was not finished', async () => {
  const files = openFarewellFiles(directory);
  await files.remember('r', [ONE]);
  const file = join(directory, 'r');
  const line = readFileSync(file, 'utf8').trim();
  const broken = [line.replace('tcp', 'icmp'), line.replace('5001', '0'), 'x', line.slice(0, -5)];
  writeFileSync(file, [line, ...broken].join('\n'));
  await files.remember('r', [WIDE]);
  expect(await files.recall('r')).toEqual([ONE, WIDE]);
});

test('says what is wrong', async () => {
  mkdirSync(parent, { recursive: true });
  writeFileSync(directory, '');
  await expect(openFarewellFiles(directory).recall('r')).rejects.toMatchObject({ code: 'ENOTDIR' });
});
