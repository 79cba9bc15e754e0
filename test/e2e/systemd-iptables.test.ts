import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { bootSystemd, type SystemdMachine, UNITS } from '../support/systemd-machine.ts';

const ROUTER = 'qrouter-7e57ed00-0000-4000-8000-0000001b7ab1';
const RULE = '-d 192.168.1.100/32 -p tcp -m tcp --dport 5001';
/** A directory in which `iptables` is iptables-legacy, before all others. */
const LEGACY = '/run/legacy';
const PROGRAMS = ['iptables', 'ip6tables'].flatMap((name) => ['', '-save', '-restore'].map((kind) => `${name}${kind}`));

let machine: SystemdMachine;

beforeAll(async () => {
  machine = await bootSystemd();
  await machine.write('/etc/hatoba/hatoba.yaml', 'backend: iptables\n');
  await machine.run('mkdir', LEGACY);
  for (const program of PROGRAMS) {
    await machine.run('ln', '-s', '/usr/sbin/xtables-legacy-multi', `${LEGACY}/${program}`);
  }
  await machine.run('ip', 'netns', 'add', ROUTER);
});

afterAll(() => machine?.[Symbol.asyncDispose]());

function saved(iptables: string): Promise<string> {
  return machine.run('ip', 'netns', 'exec', ROUTER, `${iptables}-save`, '-t', 'nat');
}

test('under a running systemd, the unit lets either iptables work, and one follow the other', async () => {
  await machine.run('systemctl', 'start', 'hatoba');
  await machine.run('hatoba', 'forward', 'add', '--router', ROUTER, '192.168.1.100:5001', '192.168.50.11:22');
  const first = (await saved('iptables-nft')).includes(RULE) ? 'iptables-nft' : 'iptables-legacy';
  expect(await saved(first)).toContain(RULE);

  const page = readFileSync(join(import.meta.dirname, '../../docs/backends.md'), 'utf8');
  await machine.write(`${UNITS}/hatoba.service.d/lock.conf`, /```ini\n(.*?)```/s.exec(page)?.[1] ?? '');
  const path = `PATH=${LEGACY}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  await machine.write(`${UNITS}/hatoba.service.d/legacy.conf`, `[Service]\nEnvironment=${path}\n`);
  await machine.run('systemctl', 'daemon-reload');
  await machine.run('systemctl', 'restart', 'hatoba');
  await eventually(async () => expect(await saved('iptables-legacy')).toContain(RULE));
  await eventually(async () => expect(await saved('iptables-nft')).not.toContain('hatoba'));

  await machine.run('systemctl', 'stop', 'hatoba');
  await machine.run('hatoba', 'cleanup');
  expect(await saved('iptables-legacy')).not.toContain('hatoba');
});
