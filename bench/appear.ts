import { closeSync } from 'node:fs';
import { openThreadNamespace } from '../src/kernel/namespaces/thread-namespace.ts';
import { timeUntilActive } from './support/appearance.ts';
import { createHome, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median, quantile } from './support/statistics.ts';

const PRESENT = 500;
const TRIALS = 200;

/** From `ip netns add` returning to the forward being in the kernel, found out by asking the kernel without a pause. */
export const benchmarkAppear: Benchmark = async (tell) => {
  const names = namespaceNames(PRESENT + TRIALS);
  const home = createHome();
  removeNamespaces();
  addNamespaces(names.slice(0, PRESENT));
  await withStore(home, (store) => seed(store, names, 1));
  const daemon = await startDaemon(home);
  const thread = openThreadNamespace();
  const times = names.slice(PRESENT).map((name) => timeUntilActive(thread, name));
  closeSync(thread.home);
  await daemon.stop();
  removeNamespaces();
  home.remove();
  tell(`slowest ${milliseconds(Math.max(...times))}`);
  const what = `ip netns add to active, ${PRESENT} namespaces present`;
  const [middle, late] = [median(times), quantile(times, 0.99)];
  const against = `${TRIALS} namespaces, one after the other`;
  return [
    { what: `${what}, median`, measured: milliseconds(middle), against, target: 'under 5 ms', met: middle < 5 },
    { what: `${what}, 99th percentile`, measured: milliseconds(late), against, target: 'under 25 ms', met: late < 25 },
  ];
};
