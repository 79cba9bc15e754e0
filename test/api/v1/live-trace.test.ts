import { expect, test } from 'vitest';
import type { LocalNode, WatchPatience } from '../../../src/api/local-node.ts';
import { socketTransport } from '../../../src/cli/http.ts';
import type { KernelWay, Observation, WatchedFlow } from '../../../src/model/observation.ts';
import { openCliBench } from '../../cli/cli-under-test.ts';
import { eventually } from '../../support/eventually.ts';
import { type Bench, openBench, publish, ROUTER, report, wish } from '../api-under-test.ts';

const PACKET = { source: '198.51.100.5', destination: '192.168.1.100', destination_port: 5001 };
const ARRIVED = { source: '198.51.100.5', sourcePort: 4000, destination: '192.168.1.100', destinationPort: 5001 };
const WAY: KernelWay = {
  arrived: ARRIVED,
  from: 'qg-x',
  steps: [
    {
      table: 'inet hatoba',
      chain: 'prerouting',
      base: { type: 'nat', hook: 'prerouting', priority: -110 },
      handle: 21,
      rule: 'jump translate',
      verdict: 'jump translate',
      ours: true,
    },
  ],
  outcome: 'forwarded',
  left: { ...ARRIVED, destination: '192.168.50.11', destinationPort: 22 },
  to: 'qr-x',
};
const SEEN: Observation = { instance: 'qrouter-x', way: WAY, knownFlow: false, reply: null, legacyTables: ['nat'] };

async function trace({ api }: Bench, request: Readonly<Record<string, unknown>>) {
  return (await api.inject({ method: 'POST', url: '/v1/trace', payload: { ...PACKET, ...request } })).json();
}

test('what the kernel did is told with what was compiled, and whether both agree', async () => {
  const asked: [string, WatchedFlow, number][] = [];
  const observe: LocalNode['observe'] = async (router, flow, { seconds }) => {
    asked.push([router, flow, seconds]);
    return SEEN;
  };
  await using bench = await openBench({ observe });
  await publish(bench.registry, report(0));
  await bench.api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish() });
  const { live, forward } = await trace(bench, { live: true, source_port: 4000, protocol: 'tcp' });
  const ends = { source: '198.51.100.5', source_port: 4000 };
  expect(forward).not.toBeNull();
  expect(live).toEqual({
    node: 'n1',
    timeout: 10,
    packet: {
      instance: 'qrouter-x',
      way: {
        ...WAY,
        arrived: { ...ends, destination: '192.168.1.100', destination_port: 5001 },
        left: { ...ends, destination: '192.168.50.11', destination_port: 22 },
      },
      known_flow: false,
      reply: null,
      as_compiled: true,
      difference: null,
      got_through: null,
      verdict:
        'The kernel did as compiled with the packet. Whether the target answers is not known: no answer came to the router.',
      legacy_tables: ['nat'],
    },
  });
  expect(asked).toMatchObject([
    [ROUTER, { protocol: 'tcp', source: { text: '198.51.100.5' }, sourcePort: 4000, port: 5001 }, 10],
  ]);
  expect((await trace(bench, { live: true, destination_port: 5002 })).live.packet).toMatchObject({
    as_compiled: false,
    difference: 'it went to 192.168.50.11:22, though no forward takes it',
  });
  expect((await trace(bench, { live: false })).live).toBeNull();
  expect(asked).toHaveLength(2);
});

test('nobody came, nobody is there, and what cannot be asked', async () => {
  await using bench = await openBench({ observe: async () => null });
  await publish(bench.registry, report(0));
  expect((await trace(bench, { live: true, timeout: 2.5 })).live).toEqual({ node: 'n1', timeout: 2.5, packet: null });
  for (const request of [{ live: true, timeout: 0 }, { live: true, timeout: 61 }, { timeout: 5 }, { live: 1 }]) {
    expect(await trace(bench, request)).toMatchObject({ status: 400, code: 'request_malformed' });
  }
  await using other = await openBench();
  await publish(other.registry, report(0));
  expect(await trace(other, { live: true })).toMatchObject({ status: 409, code: 'router_elsewhere' });
});

/** Waits until it is told to stop, and says when it was. */
function patientObserver() {
  const patiences: WatchPatience[] = [];
  const observe: LocalNode['observe'] = (_router, _flow, patience) => {
    patiences.push(patience);
    return new Promise((resolve) => patience.signal.addEventListener('abort', () => resolve(null)));
  };
  return { observe, patiences };
}

test('a client that goes, and a daemon that ends, end the wait', async () => {
  const { observe, patiences } = patientObserver();
  const bench = await openCliBench({ observe });
  await publish(bench.registry, report(0));
  const body = JSON.stringify({ ...PACKET, live: true });
  const call = { method: 'POST', path: '/v1/trace', headers: {}, body };
  // While the machine is busy, it may be gone before anybody waits.
  await eventually(async () => {
    await expect(socketTransport(bench.socket, 200).exchange(call)).rejects.toMatchObject({
      code: 'daemon_unreachable',
    });
    expect(patiences.length).toBeGreaterThan(0);
  });
  await eventually(() => expect(patiences.every(({ signal }) => signal.aborted)).toBe(true));
  const answer = socketTransport(bench.socket, 60_000).exchange(call);
  await eventually(() => expect(patiences.some(({ signal }) => !signal.aborted)).toBe(true));
  await bench[Symbol.asyncDispose]();
  expect(JSON.parse((await answer).body)).toMatchObject({ status: 503, code: 'daemon_stopping' });
});
