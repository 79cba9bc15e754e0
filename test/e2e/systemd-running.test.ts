import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { bootSystemd, type SystemdMachine, UNITS } from '../support/systemd-machine.ts';

const UNIT = readFileSync(join(import.meta.dirname, '../../packaging/systemd/hatoba.service'), 'utf8');
const ROUTER = 'qrouter-7e57ed00-0000-4000-8000-0000005d5d5d';
const FORWARD = '192.168.1.100 . tcp . 5001';
/** In seconds; the unit's own would take the test too long. */
const WATCHDOG = 8;

/** In milliseconds; for a process that ends and is started again while the machine is busy. */
const PATIENCE = 120_000;

let machine: SystemdMachine;

beforeAll(async () => {
  machine = await bootSystemd();
  await machine.write(`${UNITS}/hatoba.service.d/watchdog.conf`, `[Service]\nWatchdogSec=${WATCHDOG}\n`);
  await systemctl('daemon-reload');
});

afterAll(() => machine?.[Symbol.asyncDispose]());

function systemctl(...words: readonly string[]): Promise<string> {
  return machine.run('systemctl', ...words);
}

function hatoba(...words: readonly string[]): Promise<string> {
  return machine.run('hatoba', ...words);
}

async function property(name: string): Promise<string> {
  return (await systemctl('show', `--property=${name}`, '--value', 'hatoba')).trim();
}

/** With handles, so that a table that was made anew is another one. */
function table(): Promise<string> {
  return machine.run('ip', 'netns', 'exec', ROUTER, 'nft', '--handle', 'list', 'table', 'inet', 'hatoba');
}

/** Waits until the service has been started again, for the given time in all. */
async function restarted(times: number): Promise<void> {
  await eventually(async () => {
    expect([await property('NRestarts'), await property('ActiveState')]).toEqual([String(times), 'active']);
  }, PATIENCE);
}

/** Runs a command as the unit runs the daemon, and gives what it prints. */
async function runConfined(command: string): Promise<string> {
  const once = { Type: 'oneshot', ExecStart: command, StandardOutput: 'truncate:/run/confined-output' };
  const settings = Object.entries(once).map(([key, value]) => `${key}=${value}`);
  const others = UNIT.split('\n').filter(
    (line) => !/^(?:Type|NotifyAccess|ExecStart|Watchdog|Restart|\w+Directory)/.test(line),
  );
  const confined = others.join('\n').replace('[Service]', ['[Service]', ...settings].join('\n'));
  await machine.write(`${UNITS}/confined.service`, confined);
  await systemctl('daemon-reload');
  await systemctl('start', 'confined');
  return machine.run('cat', '/run/confined-output');
}

describe('the unit under a running systemd', () => {
  test('counts as started when the socket answers', async () => {
    await systemctl('start', 'hatoba');
    expect(await hatoba('status')).toMatch(/^driver: +libnftables$/m);
    expect(await machine.run('stat', '--format=%U:%G %a', '/run/hatoba/hatoba.sock')).toBe('root:hatoba 660\n');
  });

  test('programs a router that comes after it, as does the directory of namespaces', async () => {
    await expect(machine.run('ls', '/run/netns')).rejects.toThrow('No such file');
    await hatoba('forward', 'add', '--no-wait', '--router', ROUTER, '192.168.1.100:5001', '192.168.50.11:22');
    await machine.run('ip', 'netns', 'add', ROUTER);
    await eventually(async () => expect(await table()).toContain(FORWARD));
  });

  test('keeps no namespace alive that is deleted', async () => {
    const doomed = 'qrouter-7e57ed00-0000-4000-8000-000000de1e7e';
    await machine.run('ip', 'netns', 'add', doomed);
    await machine.run('ip', 'link', 'add', 'outside', 'type', 'veth', 'peer', 'inside', 'netns', doomed);
    await eventually(async () => expect(await hatoba('router', 'list', '-o', 'json')).toContain(doomed.slice(8)));
    await machine.run('ip', 'netns', 'delete', doomed);
    // The end of a namespace is the end of the pair.
    await eventually(() => expect(machine.run('ip', 'link', 'show', 'outside')).rejects.toThrow('does not exist'));
  });

  test('is not restarted while it feeds the watchdog', async () => {
    const started = Number(await property('ActiveEnterTimestampMonotonic'));
    await eventually(async () => {
      const fed = Number(await property('WatchdogTimestampMonotonic'));
      expect(fed - started).toBeGreaterThan(1.5 * WATCHDOG * 1e6);
    });
    expect(await property('NRestarts')).toBe('0');
  });

  test('is restarted after kill -9, and the table stays as it is', async () => {
    const before = await table();
    await systemctl('kill', '--signal=KILL', 'hatoba');
    await restarted(1);
    expect(await table()).toBe(before);
  });

  test('is restarted by the watchdog where it hangs, and the table stays as it is', async () => {
    const before = await table();
    await systemctl('kill', '--signal=STOP', 'hatoba');
    await eventually(async () => expect(await property('Result')).toBe('watchdog'));
    await restarted(2);
    expect(await table()).toBe(before);
  });

  test('can use the program nft', async () => {
    await machine.write('/etc/hatoba/hatoba.yaml', 'nft_driver: nft\n');
    await systemctl('restart', 'hatoba');
    expect(await hatoba('status')).toMatch(/^driver: +nft$/m);
  });

  test.each([
    ['nft list ruleset', FORWARD],
    ['iptables-nft-save --table nat', ''],
    ['iptables-legacy-save --table nat', ':PREROUTING'],
    ['conntrack --dump', ''],
  ])('lets %s work in a namespace', async (command, output) => {
    expect(await runConfined(`nsenter --net=/run/netns/${ROUTER} ${command}`)).toContain(output);
  });

  test('leaves the table when it is stopped', async () => {
    const before = await table();
    await systemctl('stop', 'hatoba');
    expect([await property('Result'), await table()]).toEqual(['success', before]);
    expect(await hatoba('cleanup')).toContain(ROUTER);
    await expect(table()).rejects.toThrow('No such file');
  });
});
