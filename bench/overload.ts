import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { createHome, residentMemory, startDaemon } from './support/daemon.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds, type Row } from './support/report.ts';
import { quantile } from './support/statistics.ts';
import { freePort, issueToken } from './support/tcp.ts';

const COUNT = 50_000;
const OVERLOADER = new URL('./support/overloader.ts', import.meta.url).pathname;

/**
 * What happens to `/healthz`, `/readyz` (which asks the kernel thread, as the watchdog does) and the memory while clients
 * ask for more than they read; see overloader.ts.
 */
export const benchmarkOverload: Benchmark = async (tell) => {
  const port = await freePort();
  const [name = ''] = namespaceNames(1);
  removeNamespaces();
  addNamespaces([name]);
  const home = createHome({ listen: `127.0.0.1:${port}`, authentication: 'tokens' });
  const daemon = await startDaemon(home);
  const reader = await issueToken(daemon, 'reader', 'reader');
  const tenant = await issueToken(daemon, 'tenant', 'reader', 'none');
  const arguments_ = [OVERLOADER, home.socket, `${port}`, name, `${COUNT}`, tenant, reader];
  const overloader = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: overloader.stdout }).on('line', tell);
  const ended = once(overloader, 'exit');
  const stop = new AbortController();
  ended.then(
    () => stop.abort(),
    () => stop.abort(),
  );
  const probes = Promise.all(['/healthz', '/readyz'].map((path) => probe(home.socket, path, stop.signal)));
  const peak = await peakMemory(daemon.pid, stop.signal);
  const [healthz = [], readyz = []] = await probes;
  await daemon.stop();
  removeNamespaces();
  home.remove();
  tell(`/healthz: 99th percentile ${milliseconds(quantile(healthz, 0.99))} of ${healthz.length}`);
  return [
    row('peak resident memory', `${peak.toFixed(0)} MiB`, 'under 700 MiB', peak < 700),
    row('/healthz, slowest', milliseconds(Math.max(...healthz)), 'under 1000 ms', Math.max(...healthz) < 1_000),
    row('/readyz, slowest', milliseconds(Math.max(...readyz)), 'under 15 s (watchdog)', Math.max(...readyz) < 15_000),
  ];
};

const AGAINST = `${COUNT} forwards applied twice, 120 unread and 20 read event streams, 20 backups, 40 x 16 unread lists`;

function row(what: string, measured: string, target: string, met: boolean): Row {
  return { what, measured, against: AGAINST, target, met };
}

/** In ms, of one request after the other. */
async function probe(socketPath: string, path: string, signal: AbortSignal): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (!signal.aborted) {
    const started = performance.now();
    const sent = request({ agent, socketPath, path }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    times.push(performance.now() - started);
    await pause(20);
  }
  agent.destroy();
  return times;
}

/** In MiB. */
async function peakMemory(pid: number, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    peak = Math.max(peak, residentMemory(pid));
    await pause(50);
  }
  return peak;
}
