import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHome, type Daemon, descriptors, residentMemory, startDaemon, withStore } from './support/daemon.ts';
import { namespaceNames, removeNamespaces } from './support/namespaces.ts';
import type { Benchmark, Row } from './support/report.ts';
import { addRouters, createChurn, seededRandom } from './support/soak-steps.ts';
import { differences } from './support/soak-truth.ts';

const PROBE = new URL('./support/memory-probe.ts', import.meta.url).pathname;
const ROUTERS = 20;
/** What is done one after the other, as fast as it goes, counts as so much each second. */
const STEPS_A_SECOND = 5;
const DEFAULT_MINUTES = 60;
/** What happens by chance and is no fault: somebody else's port, a time that has just passed. */
const REFUSALS = /"code":"(forward_conflict|expiry_past)"/;
const PATIENCE = 60_000;
/** Until what was freed has been given back, and connections to the daemon are closed. */
const REST = 2_000;

interface Portrait {
  /** Resident, in MiB. */
  readonly memory: number;
  /** What lives in the heap of the main thread, in MiB. */
  readonly heap: number;
  readonly descriptors: number;
  readonly sockets: number;
}

/**
 * So many minutes' worth of random changes through the API, of flushed tables, and of routers that go, come and get other
 * addresses: whether the daemon takes at the end what it took at half time, and the kernel is exactly as desired.
 */
export function soakFor(minutes = DEFAULT_MINUTES): Benchmark {
  return async (tell) => {
    const steps = minutes * 60 * STEPS_A_SECOND;
    const seed = Date.now() % 1_000_000;
    tell(`${steps} steps, seed ${seed}`);
    const names = namespaceNames(ROUTERS);
    const home = createHome();
    removeNamespaces();
    addRouters(names);
    const heapFile = join(home.directory, 'heap');
    const daemon = await startDaemon(home, { NODE_OPTIONS: `--import=${PROBE}`, HATOBA_BENCH_HEAP: heapFile });
    const churn = createChurn(daemon, names, seededRandom(seed));
    const portraits: Portrait[] = [];
    for (let tenth = 1; tenth <= 10; tenth++) {
      for (let step = 0; step < steps / 10; step++) await churn.step().catch(acceptRefusal);
      churn.restore();
      await settled(daemon);
      await sleep(REST);
      const portrait = await portraitOf(daemon, heapFile);
      portraits.push(portrait);
      const { memory, heap, descriptors: open } = portrait;
      tell(`${tenth * 10} %: ${memory.toFixed(0)} MiB, of it ${heap.toFixed(1)} live, ${open} descriptors`);
    }
    const wrong = await lasting(() => differences(daemon, names));
    for (const line of wrong) tell(line);
    await daemon.stop();
    let drains = 0;
    await withStore(home, async (store) => {
      drains = (await store.read('drains/')).entries.length;
    });
    removeNamespaces();
    home.remove();
    return rowsOf(`after ${steps} random steps`, portraits, wrong.length, drains);
  };
}

/** What is found twice: in between, forwards may have ended whose time had come. */
async function lasting(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const first = await look();
  if (first.length === 0) return first;
  await sleep(REST);
  const second = new Set(await look());
  return first.filter((line) => second.has(line));
}

function acceptRefusal(error: unknown): void {
  if (!(error instanceof Error) || !REFUSALS.test(error.message)) throw error;
}

/** Until every router has a status, and no forward is pending. */
async function settled(daemon: Daemon): Promise<void> {
  const end = performance.now() + PATIENCE;
  while ((await pending(daemon)) > 0) {
    if (performance.now() > end) throw new Error('forwards stay pending');
    await sleep(100);
  }
}

async function pending(daemon: Daemon): Promise<number> {
  const listed = await Promise.all(
    ['pending', 'waiting', 'error'].map((state) => daemon.call('GET', `/v1/forwards?state=${state}`)),
  );
  return listed.filter((page) => !JSON.stringify(page).includes('"forwards":[]')).length;
}

async function portraitOf({ pid }: Daemon, heapFile: string): Promise<Portrait> {
  const targets = descriptors(pid);
  const sockets = targets.filter((target) => target.startsWith('socket:')).length;
  const memory = residentMemory(pid);
  return { memory, heap: await liveHeap(pid, heapFile), descriptors: targets.length, sockets };
}

/** See memory-probe.ts. */
async function liveHeap(pid: number, file: string): Promise<number> {
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let text = ''; ; await sleep(50)) {
    text = await readFile(file, 'utf8').catch(() => '');
    if (text.endsWith('\n')) return Number(text) / 2 ** 20;
  }
}

/** The first half is the way up: V8 lets its heap grow well beyond what lives in it before it cleans up. */
function rowsOf(when: string, portraits: readonly Portrait[], wrong: number, drains: number): readonly Row[] {
  const [first, last] = [portraits[portraits.length / 2 - 1], portraits.at(-1)];
  if (first === undefined || last === undefined) throw new Error('there are ten');
  const against = (value: number | string) => `at half time: ${value}`;
  const level = (what: string, before: number, after: number): Row => {
    return { what, measured: String(after), against: against(before), target: 'as many', met: after === before };
  };
  const none = (what: string, measured: number, held: string): Row => {
    return { what, measured: String(measured), against: held, target: '0', met: measured === 0 };
  };
  return [
    {
      what: `resident memory ${when}`,
      measured: `${last.memory.toFixed(0)} MiB`,
      against: against(`${first.memory.toFixed(0)} MiB`),
      target: 'at most 1.1 times',
      met: last.memory <= 1.1 * first.memory,
    },
    {
      what: `live heap of the main thread ${when}`,
      measured: `${last.heap.toFixed(1)} MiB`,
      against: against(`${first.heap.toFixed(1)} MiB`),
      target: 'at most 1.05 times',
      met: last.heap <= 1.05 * first.heap,
    },
    level(`file descriptors ${when}`, first.descriptors, last.descriptors),
    level(`sockets among them ${when}`, first.sockets, last.sockets),
    none(`elements that are wrong ${when}`, wrong, 'the forwards that are active, nft list table'),
    none(`traces of draining ${when}`, drains, 'the store'),
  ];
}
