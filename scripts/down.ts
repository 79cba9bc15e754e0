/** `make down`: ends what `make up` started, and removes every trace. */
import { existsSync } from 'node:fs';
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { destroyLab } from '../src/lab/lab.ts';
import { hatoba, present, report, SOCKET, STATE_DIRECTORY } from './practice.ts';
import { daemonAnswers, stopDaemon } from './practice-daemon.ts';

await present(async () => {
  if (await stopDaemon()) report('stopped the daemon');
  if (existsSync(STATE_DIRECTORY)) await removeRules();
  await destroyLab(report);
  await removeFiles();
  report('nothing is left');
});

/** The daemon may have managed real routers beside the practice network; those of another daemon are left alone. */
async function removeRules(): Promise<void> {
  if (await daemonAnswers()) return;
  await hatoba('cleanup');
  report('removed the rules from every router');
}

async function removeFiles(): Promise<void> {
  await rm(STATE_DIRECTORY, { recursive: true, force: true });
  if (await daemonAnswers()) return;
  if (await isSocket(SOCKET)) await rm(SOCKET);
  const directory = dirname(SOCKET);
  if (existsSync(directory) && (await readdir(directory)).length === 0) await rmdir(directory);
}

/** What else is at its place is not ours. */
async function isSocket(path: string): Promise<boolean> {
  return existsSync(path) && (await lstat(path)).isSocket();
}
