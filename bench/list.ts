import { execFileSync } from 'node:child_process';
import { createHome, startDaemon, withStore } from './support/daemon.ts';
import { type Benchmark, ratioRow } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median } from './support/statistics.ts';

const TRIALS = 40;
const FORWARDS = 10;
const LAUNCHER = new URL('../bin/hatoba', import.meta.url).pathname;

/** `hatoba forward list` as a whole process, in turn with a Node that does nothing. */
export const benchmarkList: Benchmark = async () => {
  const home = createHome();
  await withStore(home, (store) => seed(store, ['router'], FORWARDS));
  const daemon = await startDaemon(home);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let trial = 0; trial < TRIALS; trial++) {
    ours.push(timed(LAUNCHER, ['forward', 'list', '--socket', home.socket]));
    theirs.push(timed(process.execPath, ['-e', '0']));
  }
  await daemon.stop();
  home.remove();
  return [
    ratioRow(
      `hatoba forward list, whole process, ${FORWARDS} forwards`,
      median(ours),
      { name: 'node -e 0', value: median(theirs) },
      { text: 'under 3 times', holds: (ratio) => ratio < 3 },
    ),
  ];
};

function timed(program: string, words: readonly string[]): number {
  const started = performance.now();
  execFileSync(program, words);
  return performance.now() - started;
}
