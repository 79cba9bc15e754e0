import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';

test('what was compiled for a start is kept for the next one, although the daemon is killed', async () => {
  await using stack = new AsyncDisposableStack();
  const cache = await mkdtemp(join(tmpdir(), 'hatoba-compiled-'));
  stack.defer(() => rm(cache, { recursive: true }));
  const within = ['env', `NODE_COMPILE_CACHE=${cache}`];
  const home = stack.use(await openDaemonHome({ neutron: false }, { within }));
  const daemon = await home.start();
  await eventually(async () => expect((await readdir(cache, { recursive: true })).length).toBeGreaterThan(100));
  await daemon.kill();
});
