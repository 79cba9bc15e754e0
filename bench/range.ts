import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createNetwork, GATEWAY, INSTANCE, type Network } from '../test/support/network.ts';
import { createHome, type Daemon, processorTime, startDaemon } from './support/daemon.ts';
import { namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds, type Row, ratioRow } from './support/report.ts';
import { median } from './support/statistics.ts';

const SHIFTED = { external_port: '1001-61000', internal_port: '2001-62000' } as const;

/** Each leads to the same port of the instance, from the port that is knocked at. */
const WAYS = {
  single: { ports: { external_port: '30000', internal_port: '30000' }, knock: 30_000 },
  /** Ranges of 60,000 ports: one element of an interval. */
  kept: { ports: { external_port: '1001-61000', internal_port: '1001-61000' }, knock: 30_000 },
  /** Seventeen elements, and as many for each source; the client is in the last. */
  shifted: { ports: SHIFTED, knock: 29_000 },
  'shifted for five sources': {
    ports: {
      ...SHIFTED,
      sources: ['192.0.2.0/24', '203.0.113.0/28', '203.0.113.64/26', '192.88.99.1/32', '198.51.100.0/24'],
    },
    knock: 29_000,
  },
} as const;
type Way = keyof typeof WAYS;
const RANGES = ['kept', 'shifted', 'shifted for five sources'] as const;
const SERVICE = 30_000;

const CREATIONS = 5;
const ROUNDS = 5;
const CONNECTIONS = 400;
const script = (name: string) => new URL(`./support/${name}.ts`, import.meta.url).pathname;

/** What a range of 60,000 ports costs: to make it, to take it away, and to a connection through it. */
export const benchmarkRange: Benchmark = async (tell) => {
  const [router = ''] = namespaceNames(1);
  const home = createHome();
  removeNamespaces();
  await using network = await createNetwork({ router });
  const daemon = await startDaemon(home);
  const rows = [...(await creations(daemon, router, tell)), ...(await connections(daemon, network, tell))];
  await daemon.stop();
  home.remove();
  return rows;
};

async function creations(daemon: Daemon, router: string, tell: (line: string) => void): Promise<readonly Row[]> {
  const [times, work, removals] = [noTimes(), noTimes(), noTimes()];
  for (let round = 1; round <= CREATIONS; round++) {
    for (const way of ['single', ...RANGES] as const) {
      const before = processorTime(daemon.pid);
      times[way].push(await timeOfCreate(daemon, router, way));
      work[way].push(processorTime(daemon.pid) - before);
      removals[way].push(await timeOfRemove(daemon));
    }
    tell(`made ${round}: ${lastOf(times)}; the daemon's work: ${lastOf(work)}; removed: ${lastOf(removals)}`);
  }
  const row = (what: string, by: Readonly<Record<Way, readonly number[]>>, way: Way): Row => ({
    what: `${what}, 60000 ports ${way}, median`,
    measured: milliseconds(median(by[way])),
    against: `a single port: ${milliseconds(median(by.single))}`,
    target: 'under 1000 ms',
    met: median(by[way]) < 1000,
  });
  return RANGES.flatMap((way) => [
    row('POST /v1/forwards?wait', times, way),
    row("the daemon's processor time for it", work, way),
    row('DELETE /v1/forwards/NAME?wait', removals, way),
  ]);
}

/** Each round has new connections, one after the other, by each way. */
async function connections(
  daemon: Daemon,
  { client, router, instance }: Network,
  tell: (line: string) => void,
): Promise<readonly Row[]> {
  const server = spawn('ip', ['netns', 'exec', instance, process.execPath, script('acceptor'), String(SERVICE)]);
  await once(server.stdout, 'data');
  const times = noTimes();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const way of ['single', ...RANGES] as const) {
      await timeOfCreate(daemon, router, way);
      times[way].push(timeOfConnect(client, WAYS[way].knock));
      await timeOfRemove(daemon);
    }
    tell(`connected ${round}: ${lastOf(times)}`);
  }
  const exited = once(server, 'exit');
  server.kill();
  await exited;
  const baseline = { name: 'through a single port', value: median(times.single) };
  const limit = { text: 'at most 1.05 times', holds: (ratio: number) => ratio <= 1.05 };
  return RANGES.map((way) =>
    ratioRow(`connect through 60000 ports ${way}, median`, median(times[way]), baseline, limit),
  );
}

/** Until it is in the kernel and on disk. */
async function timeOfCreate(daemon: Daemon, router: string, way: Way): Promise<number> {
  const addresses = { external_address: GATEWAY[4], internal_address: INSTANCE[4] };
  const body = { router, name: 'measured', ...addresses, ...WAYS[way].ports };
  const started = performance.now();
  const answer = JSON.stringify(await daemon.call('POST', '/v1/forwards?wait=30', body));
  const time = performance.now() - started;
  if (!answer.includes('"state":"active"')) throw new Error(`not active: ${answer}`);
  return time;
}

/** Likewise. */
async function timeOfRemove(daemon: Daemon): Promise<number> {
  const started = performance.now();
  await daemon.call('DELETE', '/v1/forwards/measured?wait=30');
  return performance.now() - started;
}

function timeOfConnect(client: string, port: number): number {
  const words = [GATEWAY[4], port, CONNECTIONS].map(String);
  const command = ['netns', 'exec', client, process.execPath, script('connect-times'), ...words];
  return Number(execFileSync('ip', command, { encoding: 'utf8' }));
}

function noTimes(): Readonly<Record<Way, number[]>> {
  return { single: [], kept: [], shifted: [], 'shifted for five sources': [] };
}

function lastOf(times: Readonly<Record<Way, readonly number[]>>): string {
  return Object.entries(times)
    .map(([way, all]) => `${way} ${milliseconds(all.at(-1) ?? 0)}`)
    .join(', ');
}
