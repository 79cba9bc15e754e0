import { execFileSync } from 'node:child_process';
import { closeSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNamespace, openThreadNamespace } from '../src/kernel/namespaces/thread-namespace.ts';
import { openNftDriver } from '../src/kernel/nft/nft.ts';
import { createHome, type Home, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, ratioRow } from './support/report.ts';
import { scriptOf } from './support/script.ts';
import { EXTERNAL, programOf, seed } from './support/seed.ts';
import { median } from './support/statistics.ts';

const NAMESPACES = 1_000;
const FORWARDS = 10;
const ROUNDS = 3;

/** 1,000 routers with 10 forwards each, from nothing: the daemon's whole start, and two ways to do it without one. */
export const benchmarkStart: Benchmark = async (tell) => {
  const names = namespaceNames(NAMESPACES);
  const times: Readonly<Record<'daemon' | 'iptables' | 'library', number[]>> = {
    daemon: [],
    iptables: [],
    library: [],
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const home = createHome();
    await withStore(home, (store) => seed(store, names, FORWARDS));
    times.iptables.push(await fresh(names, async () => byIptables(home, names)));
    times.library.push(await fresh(names, async () => byLibrary(names)));
    times.daemon.push(await fresh(names, () => byDaemon(home)));
    home.remove();
    const told = Object.entries(times).map(([name, list]) => `${name} ${list.at(-1)?.toFixed(0)} ms`);
    tell(`round ${round}: ${told.join(', ')}`);
  }
  const daemon = median(times.daemon);
  const what = `${NAMESPACES} namespaces x ${FORWARDS} forwards, daemon start to all active`;
  return [
    ratioRow(
      what,
      daemon,
      { name: 'loop of ip netns exec iptables-restore', value: median(times.iptables) },
      { text: 'at most 0.1 times', holds: (ratio) => ratio <= 0.1 },
    ),
    ratioRow(
      what,
      daemon,
      { name: 'bare libnftables loop', value: median(times.library) },
      { text: 'at most 2 times', holds: (ratio) => ratio <= 2 },
    ),
  ];
};

async function fresh(names: readonly string[], work: () => Promise<number>): Promise<number> {
  removeNamespaces();
  addNamespaces(names);
  try {
    return await work();
  } finally {
    removeNamespaces();
  }
}

async function byDaemon(home: Home): Promise<number> {
  const daemon = await startDaemon(home);
  const status = JSON.stringify(await daemon.call('GET', '/v1/status'));
  await daemon.stop();
  if (!status.includes(`"active":${NAMESPACES * FORWARDS}`)) throw new Error(`not all are active: ${status}`);
  return daemon.activeAfter;
}

function byIptables(home: Home, names: readonly string[]): number {
  const rules = Array.from({ length: FORWARDS }, (_, at) => {
    const match = `-A PREROUTING -d ${EXTERNAL}/32 -p tcp -m tcp --dport ${at + 1}`;
    return `${match} -j DNAT --to-destination 192.168.50.${11 + at}:22`;
  });
  const dump = join(home.directory, 'rules');
  const script = join(home.directory, 'restore.sh');
  writeFileSync(dump, `*nat\n${rules.join('\n')}\nCOMMIT\n`);
  writeFileSync(script, 'for ns in "$@"; do ip netns exec "$ns" iptables-restore --noflush "$0" || exit 1; done\n');
  return timed(() => execFileSync('sh', ['-c', `. ${script}`, dump, ...names]));
}

function byLibrary(names: readonly string[]): number {
  const thread = openThreadNamespace();
  const driver = openNftDriver('libnftables');
  const script = scriptOf(programOf('any', FORWARDS));
  const spent = timed(() => {
    for (const name of names) {
      const fd = openNamespace(`/run/netns/${name}`);
      if (fd === undefined) throw new Error(`there is no namespace ${name}`);
      const refusal = thread.inside(fd, () => driver.run(fd, script));
      closeSync(fd);
      if (refusal !== undefined) throw new Error(refusal);
    }
  });
  closeSync(thread.home);
  return spent;
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
