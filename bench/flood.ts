import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { openThreadNamespace } from '../src/kernel/namespaces/thread-namespace.ts';
import { timeUntilActive } from './support/appearance.ts';
import { createHome, type Daemon, startDaemon, withStore } from './support/daemon.ts';
import { runLoad } from './support/load.ts';
import { namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds, type Row, ratioRow } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median, quantile } from './support/statistics.ts';
import { freePort, issueToken } from './support/tcp.ts';

const CALLERS = 64;
const SLOW = 200;
/** Far fewer than there are callers, so that most of what they ask is above what a caller may. */
const TOKENS = 4;
const NAMESPACES = 30;
const REQUESTS = 300;
const FLOODER = new URL('./support/flooder.ts', import.meta.url).pathname;

/** What a flood by TCP does to other callers and to the data plane, beside the same with nobody else there. */
export const benchmarkFlood: Benchmark = async (tell) => {
  const port = await freePort();
  const home = createHome({ listen: `127.0.0.1:${port}`, authentication: 'tokens' });
  const names = namespaceNames(2 * NAMESPACES);
  removeNamespaces();
  await withStore(home, (store) => seed(store, names, 1));
  const daemon = await startDaemon(home);
  const tokens = [];
  for (let n = 0; n < TOKENS; n++) tokens.push(await issueToken(daemon, `flood${n}`, 'reader'));
  const ways = { daemon, baseUrl: `http://127.0.0.1:${port}`, token: await issueToken(daemon, 'polite', 'reader') };
  await measure(ways, []);
  const idle = await measure(ways, names.slice(0, NAMESPACES));
  tell(`idle: GET ${milliseconds(median(idle.requests))}, namespace ${milliseconds(median(idle.appearances))}`);
  const flooder = spawn(process.execPath, [FLOODER, ways.baseUrl, `${CALLERS}`, `${SLOW}`, ...tokens], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // So that bursts are over.
  await pause(5_000);
  const flooded = await measure(ways, names.slice(NAMESPACES));
  flooder.kill('SIGTERM');
  tell(`answers to the flood: ${(await text(flooder.stdout)).trim()}`);
  if (flooder.exitCode === null) await once(flooder, 'exit');
  await daemon.stop();
  removeNamespaces();
  home.remove();
  return rowsOf(idle, flooded);
};

interface Measured {
  /** Of a request on the socket, of one by TCP, and of a namespace from its coming until its rules are there. */
  readonly requests: readonly number[];
  readonly polite: readonly number[];
  readonly appearances: readonly number[];
}

/** Those that somebody can come by who is none of the flood. */
interface Ways {
  readonly daemon: Daemon;
  readonly baseUrl: string;
  readonly token: string;
}

async function measure({ daemon, baseUrl, token }: Ways, names: readonly string[]): Promise<Measured> {
  const requests: number[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const started = performance.now();
    await daemon.call('GET', '/v1/forwards?limit=10');
    requests.push(performance.now() - started);
  }
  const polite: number[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    // On a connection of its own each time, and far below what a caller may ask for.
    const ask = { method: 'GET', path: '/v1/forwards?limit=10', headers: { 'x-auth-token': token } };
    const { times } = await runLoad({ baseUrl, callers: 1, next: (at) => (at === 0 ? ask : null) });
    const [time] = times;
    if (time === undefined) throw new Error('a caller that is none of the flood was refused');
    polite.push(time);
    await pause(20);
  }
  const thread = openThreadNamespace();
  const appearances: number[] = [];
  for (const name of names) {
    appearances.push(timeUntilActive(thread, name));
    await pause(10);
  }
  closeSync(thread.home);
  return { requests, polite, appearances };
}

function rowsOf(idle: Measured, flooded: Measured): readonly Row[] {
  const against = (name: string, value: number) => ({ name: `${name}, nobody on TCP`, value });
  const row = (what: string, part: (measured: Measured) => number, most: number): Row =>
    ratioRow(`${what}, ${CALLERS} callers flooding and ${SLOW} slow ones`, part(flooded), against(what, part(idle)), {
      text: `under ${most} times or ${milliseconds(FLOOR)}`,
      holds: (ratio) => ratio < most || part(flooded) < FLOOR,
    });
  return [
    row('GET on the socket, median', ({ requests }) => median(requests), 10),
    row('GET on the socket, 99th percentile', ({ requests }) => quantile(requests, 0.99), 10),
    row('GET by TCP with another token, median', ({ polite }) => median(polite), 10),
    row('GET by TCP with another token, 99th percentile', ({ polite }) => quantile(polite, 0.99), 10),
    row('namespace to rules, median', ({ appearances }) => median(appearances), 3),
    row('namespace to rules, 99th percentile', ({ appearances }) => quantile(appearances, 0.99), 3),
  ];
}

/** Nobody notices less, whatever the ratio. */
const FLOOR = 5;
