import { createHome, type Daemon, startDaemon, withStore } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds, type Row } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median, quantile } from './support/statistics.ts';

const TRIALS = 300;
const WARM_UP = 30;

/** `POST /v1/forwards?wait` over one connection, answered when the forward is in the kernel and on disk. */
export const benchmarkCreate: Benchmark = async (tell) => {
  const rows: Row[] = [];
  for (const present of [10, 50_000]) rows.push(await createBeside(present, tell));
  return rows;
};

async function createBeside(present: number, tell: (line: string) => void): Promise<Row> {
  const [router = ''] = namespaceNames(1);
  const home = createHome();
  removeNamespaces();
  addNamespaces([router]);
  await withStore(home, (store) => seed(store, [router], present));
  const daemon = await startDaemon(home);
  const times: number[] = [];
  for (let at = 0; at < WARM_UP + TRIALS; at++) {
    const time = await timeOfCreate(daemon, router, at);
    if (at >= WARM_UP) times.push(time);
  }
  await daemon.stop();
  removeNamespaces();
  home.remove();
  tell(`beside ${present}: 99th percentile ${milliseconds(quantile(times, 0.99))}`);
  const middle = median(times);
  return {
    what: `POST /v1/forwards?wait, median, ${present} forwards of the router`,
    measured: milliseconds(middle),
    against: `${TRIALS} requests, one after the other`,
    target: 'under 5 ms',
    met: middle < 5,
  };
}

async function timeOfCreate(daemon: Daemon, router: string, at: number): Promise<number> {
  const body = { router, external_address: '192.168.1.200', external_port: at + 1, internal_address: '192.168.50.11' };
  const started = performance.now();
  const answer = JSON.stringify(await daemon.call('POST', '/v1/forwards?wait=5', body));
  const time = performance.now() - started;
  if (!answer.includes('"state":"active"')) throw new Error(`not active: ${answer}`);
  return time;
}
