import { expect, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { bootMachine } from '../support/machine.ts';

test('where too many files are open for all routers, the log says so for each that is left', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, { within: [...machine.within, 'prlimit', '--nofile=100:100'] });
  for (let router = 1; router <= 40; router++) await machine.run('ip', 'netns', 'add', `qrouter-${router}`);
  const { level, namespace, error } = await home.launch().logged(({ msg }) => String(msg).startsWith('could not open'));
  expect({ level, namespace }).toEqual({ level: 40, namespace: expect.stringMatching(/^qrouter-\d+$/) });
  expect(error).toMatch(/: EMFILE/);
});
