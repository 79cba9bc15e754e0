import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createHome, type Daemon, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, ratioRow } from './support/report.ts';
import { scriptOf } from './support/script.ts';
import { programOf, seed } from './support/seed.ts';
import { median } from './support/statistics.ts';

const FORWARDS = 50_000;
const ROUNDS = 5;
const GIVE_UP = 60_000;

/** 50,000 forwards into one router at once: its namespace appears beside a running daemon, against `nft -f`. */
export const benchmarkBulk: Benchmark = async (tell) => {
  const [router = ''] = namespaceNames(1);
  const home = createHome();
  removeNamespaces();
  await withStore(home, (store) => seed(store, [router], FORWARDS));
  const script = join(home.directory, 'script.nft');
  writeFileSync(script, scriptOf(programOf(router, FORWARDS)));
  const daemon = await startDaemon(home);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round++) {
    ours.push(await byDaemon(daemon, router));
    removeNamespaces();
    theirs.push(byProgram(script));
    tell(`round ${round}: ${ours.at(-1)?.toFixed(0)} ms, nft -f ${theirs.at(-1)?.toFixed(0)} ms`);
  }
  await daemon.stop();
  home.remove();
  return [
    ratioRow(
      `${FORWARDS} forwards into one router at once`,
      median(ours),
      { name: 'ip netns exec nft -f with the same elements', value: median(theirs) },
      { text: 'at most 1.5 times', holds: (ratio) => ratio <= 1.5 },
    ),
  ];
};

async function byDaemon(daemon: Daemon, router: string): Promise<number> {
  addNamespaces([router]);
  const started = performance.now();
  while (performance.now() - started < GIVE_UP) {
    const found = JSON.stringify(await daemon.call('GET', `/v1/routers/${router}`));
    if (/"revision":[1-9]/.test(found)) return performance.now() - started;
    await setTimeout(2);
  }
  throw new Error(`${router} is not active after ${GIVE_UP} ms`);
}

/** In a namespace that the daemon does not look after. */
function byProgram(script: string): number {
  const namespace = 'hatoba-baseline';
  execFileSync('ip', ['netns', 'add', namespace]);
  const started = performance.now();
  execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', script]);
  const time = performance.now() - started;
  execFileSync('ip', ['netns', 'delete', namespace]);
  return time;
}
