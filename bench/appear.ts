import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { TABLE } from '../src/dataplane/linux/nftables/layout.ts';
import { openNetlink } from '../src/kernel/libc.ts';
import { NETLINK_NETFILTER } from '../src/kernel/netlink.ts';
import { readTable } from '../src/kernel/nft-table.ts';
import { openNamespace, openThreadNamespace, type ThreadNamespace } from '../src/kernel/thread-namespace.ts';
import { createHome, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median, quantile } from './support/statistics.ts';

const PRESENT = 500;
const TRIALS = 200;
const GIVE_UP = 2_000;

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

function timeUntilActive(thread: ThreadNamespace, name: string): number {
  execFileSync('ip', ['netns', 'add', name]);
  const started = performance.now();
  const fd = openNamespace(`/run/netns/${name}`);
  if (fd === undefined) throw new Error(`there is no namespace ${name}`);
  const socket = thread.inside(fd, () => openNetlink(NETLINK_NETFILTER));
  try {
    while (!isActive(socket)) {
      if (performance.now() - started > GIVE_UP) throw new Error(`nothing in ${name} after ${GIVE_UP} ms`);
    }
    return performance.now() - started;
  } finally {
    closeSync(socket);
    closeSync(fd);
  }
}

function isActive(socket: number): boolean {
  return readTable(socket, TABLE)?.elements.get('exact4')?.length === 1;
}
