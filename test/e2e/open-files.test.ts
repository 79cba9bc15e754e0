import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { bootMachine } from '../support/machine.ts';

test('where too many files are open for all routers, the log says so for each that is left', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, { within: [...machine.within, 'prlimit', '--nofile=100:100'] });
  for (let router = 1; router <= 40; router++) await machine.run('ip', 'netns', 'add', `qrouter-${router}`);
  const { level, namespace, error } = await home.launch().logged(({ msg }) => String(msg).startsWith('could not open'));
  expect({ level, namespace }).toEqual({ level: 40, namespace: expect.stringMatching(/^qrouter-\d+$/) });
  expect(error).toMatch(/: EMFILE/);
});

test('a running daemon that has too many files open goes on, and opens the routers that are left when others go', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, { within: [...machine.within, 'prlimit', '--nofile=160:160'] });
  const daemon = await home.start();
  for (let router = 1; router <= 40; router++) await machine.run('ip', 'netns', 'add', `qrouter-${router}`);
  await daemon.logged(({ msg }) => String(msg).startsWith('could not open'));
  // Each of these has the directory read, for which there is no descriptor.
  for (let router = 41; router <= 45; router++) await machine.run('ip', 'netns', 'add', `qrouter-${router}`);
  for (let router = 1; router <= 38; router++) await machine.run('ip', 'netns', 'delete', `qrouter-${router}`);
  await eventually(async () => {
    const { routers } = await home.client.getStatus();
    expect(routers).toBe(7);
  }, 90_000);
  expect((await daemon.stop()).exit).toBe(0);
});

test('idle connections leave descriptors for routers that come', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, { within: [...machine.within, 'prlimit', '--nofile=256:256'] });
  const daemon = await home.start();
  const sockets = Array.from({ length: 300 }, () => {
    const socket = connect(home.socket).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))),
  );
  for (let router = 1; router <= 20; router++) await machine.run('ip', 'netns', 'add', `qrouter-${router}`);
  for (const socket of sockets.slice(0, 100)) socket.destroy();
  await eventually(async () => {
    const { routers } = await home.client.getStatus();
    expect(routers).toBe(20);
  }, 100_000);
  expect(daemon.log.filter(({ level }) => Number(level) > 30)).toEqual([]);
  // Those that are idle do not delay its end: it would be cut off after a minute, with the test.
  expect((await daemon.stop()).exit).toBe(0);
}, 110_000);
