import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const HATOBA = fileURLToPath(new URL('../../bin/hatoba', import.meta.url));

let network: Network;
let home: DaemonHome;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  home = await openDaemonHome({ neutron: false, accounting: true, routers });
  await home.start();
  const fields = { router: network.router, internal_address: INSTANCE[4], internal_port: 22 };
  await home.client.createForward({ ...fields, name: 'quiet', external_port: 5000 }, '60');
  await home.client.createForward({ ...fields, name: 'busy', external_port: 5001 }, '60');
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  await client.open(GATEWAY[4], 5001);
  // A terminal with a shell in it, on a server of its own.
  await tmux('new-session', '-d', '-x', '100', '-y', '12', 'bash', '--norc', '--noprofile');
});

afterAll(async () => {
  await tmux('kill-server').catch(() => undefined);
  for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
});

function tmux(...words: readonly string[]): Promise<string> {
  return run('tmux', ['-f', '/dev/null', '-S', join(home.directory, 'tmux'), ...words]);
}

const type = (...keys: readonly string[]) => tmux('send-keys', ...keys);
const screen = async () => (await tmux('capture-pane', '-p')).trimEnd().split('\n');
const shows = (index: number, text: RegExp) =>
  eventually(async () => expect((await screen())[index] ?? '').toMatch(text));

beforeEach(async () => {
  await type('clear; echo before', 'Enter');
  await eventually(async () => expect((await screen()).at(-2)).toBe('before'));
  await type(`${HATOBA} --socket ${home.socket} top --interval 0.2`, 'Enter');
  await shows(2, /^every 0\.2 s, by live/);
});

async function expectShell(): Promise<void> {
  await eventually(async () => {
    const lines = await screen();
    expect(lines[0]).toBe('before');
    expect(lines.at(-1)).toMatch(/[#$]$/);
  });
  await type('stty -a | grep -o " echo "', 'Enter');
  await eventually(async () => expect((await screen()).at(-2)?.trim()).toBe('echo'));
}

test('it shows what goes through the forwards, sorts by keys, and gives the terminal back', async () => {
  const lines = await screen();
  expect(lines[0]).toBe('hatoba 0.1.0 on n1: routers 1, forwards 2 (2 active)');
  expect(lines[1]).toMatch(/^live 1 {3}new 0\/s {3}in 0 pkt\/s 0 B\/s {3}out 0 pkt\/s 0 B\/s$/);
  expect(lines[3]).toMatch(/^FORWARD +LIVE +NEW\/S +IN PKT\/S +IN B\/S +OUT PKT\/S +OUT B\/S +OUTSIDE/);
  expect(lines[4]).toMatch(/^busy +1 +0 +0 +0 +0 +0 +198\.51\.100\.1:5001\/tcp/);
  expect(lines[5]).toMatch(/^quiet +0 +0 /);
  await type('f');
  await shows(2, /by name /);
  await type('r');
  await shows(2, /by name, reversed/);
  await shows(4, /^quiet/);
  await type('q');
  await expectShell();
});

test('it follows the size of the terminal', async () => {
  await tmux('resize-window', '-x', '40', '-y', '5');
  await shows(2, /^every 0\.2 s, by live; 1 more below/);
  expect((await screen()).length).toBe(5);
  expect((await screen()).every((line) => line.length <= 40)).toBe(true);
  await tmux('resize-window', '-x', '100', '-y', '12');
  await shows(5, /^quiet/);
  await type('C-c');
  await expectShell();
});

test('it ends at once, too, while the daemon does not answer', async () => {
  await type('q');
  await expectShell();
  await using other = await openDaemonHome({ neutron: false, roles: ['api'] });
  const daemon = await other.start();
  await type(`${HATOBA} --socket ${other.socket} top --interval 0.2`, 'Enter');
  await shows(2, /^every 0\.2 s/);
  process.kill(daemon.pid, 'SIGSTOP');
  // It has asked by then, and would wait for ten seconds.
  await sleep(1_000);
  await type('q');
  await eventually(async () => expect((await screen()).at(-1)).toMatch(/[#$]$/));
  // It would end with this error if it had waited for the answer.
  expect((await screen()).join('\n')).not.toContain('hatoba: ');
  process.kill(daemon.pid, 'SIGCONT');
});

test('it goes on while there is no daemon', async () => {
  await using other = await openDaemonHome({ neutron: false, roles: ['api'] });
  await type('q');
  await expectShell();
  const daemon = await other.start();
  await type(`${HATOBA} --socket ${other.socket} top --interval 0.2`, 'Enter');
  await shows(2, /^every 0\.2 s/);
  await daemon.kill();
  await shows(2, /^no daemon answers at .*: nobody listens there; /);
  await other.start();
  await shows(2, /^every 0\.2 s/);
  await type('q');
  await expectShell();
});
