import { createHome, type Daemon, startDaemon, withStore } from './support/daemon.ts';
import { type LoadOutcome, type LoadRequest, runLoad } from './support/load.ts';
import { addNamespaces, namespaceNames, removeNamespaces } from './support/namespaces.ts';
import { type Benchmark, milliseconds, type Row } from './support/report.ts';
import { seed } from './support/seed.ts';
import { median, quantile } from './support/statistics.ts';
import { freePort, issueToken } from './support/tcp.ts';

const CALLERS = 64;
const CREATES = 3_000;
const GETS = 10_000;
const LISTS = 20;

/** Neutron, on the same two cores as the first figures here: 5 creates a second, a list of 1,000 in 450 ms. */
const NEUTRON = 'Neutron, as was seen once: ';

/** The API by TCP with tokens: creates until they are on disk, reads, and lists. */
export const benchmarkApi: Benchmark = async (tell) => {
  const [router = ''] = namespaceNames(1);
  removeNamespaces();
  addNamespaces([router]);
  const rows: Row[] = [];
  for (const present of [1_000, 10_000]) rows.push(...(await servedWith(present, router, tell)));
  removeNamespaces();
  return rows;
};

async function servedWith(present: number, router: string, tell: (line: string) => void): Promise<readonly Row[]> {
  const port = await freePort();
  const home = createHome({ listen: `127.0.0.1:${port}`, authentication: 'tokens', rate_limit: null });
  await withStore(home, (store) => seed(store, [router], present));
  const daemon = await startDaemon(home);
  const load = await loadOf(daemon, port);
  const list = await load(1, LISTS, () => ({ method: 'GET', path: `/v1/forwards?limit=${present}` }));
  const rows = [listRow(present, list)];
  if (present === 1_000) {
    const get = await load(CALLERS, GETS, () => ({ method: 'GET', path: '/v1/forwards?limit=1' }));
    const create = await load(CALLERS, CREATES, (at) => createOf(router, at));
    tell(`creates: ${JSON.stringify([...create.statuses])}, reads: ${JSON.stringify([...get.statuses])}`);
    rows.push(...ratesOf('GET', get, 1_000), ...ratesOf('POST', create, 100));
  }
  await daemon.stop();
  home.remove();
  return rows;
}

type Ask = (callers: number, count: number, requestOf: (at: number) => LoadRequest) => Promise<LoadOutcome>;

async function loadOf(daemon: Daemon, port: number): Promise<Ask> {
  const headers = { authorization: `Bearer ${await issueToken(daemon, 'bench', 'admin')}` };
  return async (callers, count, requestOf) => {
    const outcome = await runLoad({
      baseUrl: `http://127.0.0.1:${port}`,
      callers,
      next: (at) => (at < count ? { ...requestOf(at), headers } : null),
    });
    if (outcome.times.length !== count) throw new Error(`of ${count}: ${JSON.stringify([...outcome.statuses])}`);
    return outcome;
  };
}

function createOf(router: string, at: number): LoadRequest {
  const body = { router, external_address: '192.168.1.200', external_port: at + 1, internal_address: '192.168.50.11' };
  return { method: 'POST', path: '/v1/forwards?wait=0', body };
}

function listRow(present: number, { times }: LoadOutcome): Row {
  const time = median(times);
  const most = (present / 1_000) * 22.5;
  return {
    what: `list of ${present} forwards by TCP, median`,
    measured: milliseconds(time),
    against: `${NEUTRON}450 ms for 1,000`,
    target: `under ${milliseconds(most)}`,
    met: time < most,
  };
}

function ratesOf(what: string, { times, seconds }: LoadOutcome, least: number): readonly Row[] {
  const rate = times.length / seconds;
  return [
    {
      what: `${what} /v1/forwards, ${CALLERS} callers by TCP, a second`,
      measured: rate.toFixed(0),
      against: what === 'POST' ? `${NEUTRON}5 creates a second` : `median ${milliseconds(median(times))}`,
      target: `over ${least}`,
      met: rate > least,
    },
    {
      what: `${what} /v1/forwards, ${CALLERS} callers by TCP, 99th percentile`,
      measured: milliseconds(quantile(times, 0.99)),
      against: `median ${milliseconds(median(times))}`,
      target: 'under 500 ms',
      met: quantile(times, 0.99) < 500,
    },
  ];
}
