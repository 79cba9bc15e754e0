import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const CHECKOUT = join(import.meta.dirname, '../..');
const HATOBA = join(CHECKOUT, 'bin/hatoba');
const UNIT = readFileSync(join(CHECKOUT, 'packaging/systemd/hatoba.service'), 'utf8');
const SYSUSERS = join(CHECKOUT, 'packaging/systemd/hatoba.sysusers');

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-systemd-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The unit with the program that it starts where it is in a checkout, and changed as the test wants. */
function unitFile(change: (unit: string) => string = (unit) => unit): string {
  const file = join(directory, 'hatoba.service');
  writeFileSync(file, change(UNIT.replace('/usr/bin/hatoba', HATOBA)));
  return file;
}

function verify(file: string): string {
  return spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' }).stderr;
}

function exposure(file: string): number {
  const table = execFileSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
    encoding: 'utf8',
  });
  const level = /Overall exposure level for \S+: ([\d.]+)/.exec(table)?.[1];
  return Number(level ?? Number.NaN);
}

describe('systemd-analyze', () => {
  test('has nothing to say about the unit', () => {
    expect(verify(unitFile())).toBe('');
  });

  test('would say so where something was wrong', () => {
    expect(verify(unitFile((unit) => unit.replace('WatchdogSec=30', 'WatchdogSec=often')))).toContain('often');
  });

  test('finds it confined', () => {
    expect(exposure(unitFile())).toBeLessThan(4);
  });

  test('finds it exposed without its confinement', () => {
    const exposed = unitFile((unit) => unit.replaceAll(/^(?:Protect|Restrict|SystemCall|Capability)\w+=.*\n/gm, ''));
    expect(exposure(exposed)).toBeGreaterThan(4);
  });
});

describe('the unit', () => {
  test('waits for no other service', () => {
    expect(UNIT).not.toMatch(/^(?:After|Before|Requires|Wants|BindsTo|PartOf)=/m);
    expect(UNIT).not.toMatch(/^ExecStartPre=|\bsleep\b/m);
  });

  test('leaves the forwards in place when it stops', () => {
    expect(UNIT).not.toMatch(/^ExecStop|--cleanup-on-exit/m);
  });
});

describe('the daemon, with the capabilities and the mounts that the unit gives it', () => {
  const namespace = 'qrouter-7e57ed00-0000-4000-8000-0000005d5d5d';
  let daemon: ChildProcess | undefined;

  afterAll(() => {
    daemon?.kill('SIGKILL');
    execFileSync('ip', ['netns', 'delete', namespace]);
  });

  function rules(): string {
    return execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'nft', 'list', 'ruleset'], { encoding: 'utf8' });
  }

  /** `unshare` and `setpriv` put into effect what systemd would. */
  function confined(...command: readonly string[]): readonly string[] {
    const [, capabilities = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(UNIT) ?? [];
    const bounds = capabilities.toLowerCase().replaceAll('cap_', '+').replaceAll(' ', ',');
    const bound = ['setpriv', `--bounding-set=-all,${bounds}`, '--no-new-privs'];
    return ['--mount', '--propagation=slave', ...bound, ...command];
  }

  test('programs a router that came after it, and leaves the forward when it stops', async () => {
    const socket = join(directory, 'hatoba.sock');
    const serve = [HATOBA, 'serve', '--store', `sqlite:${directory}/db`, '--socket', socket];
    daemon = spawn('unshare', confined(...serve), { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(daemon, 'exit');
    await expect.poll(() => existsSync(socket)).toBe(true);
    const forward = ['--router', namespace, '192.168.1.100:5001', '192.168.50.11:22'];
    execFileSync(HATOBA, ['--socket', socket, 'forward', 'add', ...forward]);
    execFileSync('ip', ['netns', 'add', namespace]);
    await expect.poll(rules).toContain('192.168.1.100 . tcp . 5001');
    daemon.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(rules()).toContain('192.168.1.100 . tcp . 5001');
  });
});

test('the group that owns the socket is made', () => {
  mkdirSync(join(directory, 'etc'));
  execFileSync('systemd-sysusers', [`--root=${directory}`, SYSUSERS]);
  expect(readFileSync(join(directory, 'etc/group'), 'utf8')).toMatch(/^hatoba:/m);
});
