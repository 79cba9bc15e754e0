import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { createHome, residentMemory, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import type { Benchmark } from './support/report.ts';
import { seed } from './support/seed.ts';

const NAMESPACES = 1_000;
const FORWARDS = 100;
const SETTLE = 90_000;
const IDLE = 20_000;

/** What a daemon with many forwards takes while nothing happens. */
export const benchmarkMemory: Benchmark = async (tell) => {
  const names = namespaceNames(NAMESPACES);
  const home = createHome();
  removeNamespaces();
  addNamespaces(names);
  await withStore(home, (store) => seed(store, names, FORWARDS));
  const daemon = await startDaemon(home);
  tell(`active after ${daemon.activeAfter.toFixed(0)} ms, ${residentMemory(daemon.pid).toFixed(0)} MiB`);
  await setTimeout(SETTLE);
  const resident = residentMemory(daemon.pid);
  const before = wakeUps(daemon.pid);
  await setTimeout(IDLE);
  const woken = wakeUps(daemon.pid) - before;
  await daemon.stop();
  removeNamespaces();
  home.remove();
  return [
    {
      what: `resident memory, ${NAMESPACES * FORWARDS} forwards in ${NAMESPACES} namespaces`,
      measured: `${resident.toFixed(0)} MiB`,
      against: `${SETTLE / 1000} s after the start`,
      target: 'under 250 MB',
      met: resident * 1.048576 < 250,
    },
    {
      what: `wake-ups of all its threads in ${IDLE / 1000} s of idleness`,
      measured: String(woken),
      against: 'no watchdog is asked for',
      target: '0',
      met: woken === 0,
    },
  ];
};

/** How often threads of the process gave up the processor to wait, which each wake-up ends with. */
function wakeUps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
  }, 0);
}
