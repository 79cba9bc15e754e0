import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Agent, createAgent } from '../../src/agent/agent.ts';
import { PROTOCOL_NUMBERS, type Protocol } from '../../src/model/protocol.ts';
import { type Bench, openBench } from '../api/api-under-test.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, INSTANCE_TOO, type Network, ROUTED } from '../support/network.ts';
import { NO_NEIGHBOURS } from '../support/no-neighbours.ts';
import { type Ends, readPacket, type SeenPacket, segment } from '../support/packets.ts';
import { type Capture, openCapture, openRawSender } from '../support/raw-sockets.ts';
import { linuxOver, openTestKernel } from './linux-under-test.ts';

const FORWARDS: readonly Readonly<Record<string, unknown>>[] = [
  { external_port: 5001, internal_address: INSTANCE[4], internal_port: 22 },
  { protocol: 'udp', external_port: '5000-5009', internal_address: INSTANCE_TOO[4], internal_port: '6000-6009' },
  { external_address: ROUTED[4], external_port: 80, internal_address: INSTANCE[4], sources: [CLIENT[4]] },
  { external_port: 81, internal_address: INSTANCE[4], sources: ['192.0.2.0/24'] },
  { external_port: 82, internal_address: INSTANCE[4], enabled: false },
  { external_port: '5001-5009', internal_address: INSTANCE[6], internal_port: 22 },
  { protocol: 'udp', external_address: ROUTED[6], external_port: 53, internal_address: INSTANCE_TOO[6] },
  { protocol: 'udp', external_port: 999, internal_address: INSTANCE[4] },
  { protocol: 'udp', external_port: 999, internal_address: INSTANCE[6] },
];

let network: Network;
let bench: Bench;
let agent: Agent;
let arriving: Capture;
let returning: Capture;
let lastPort = 40_000;

beforeAll(async () => {
  network = await createNetwork();
  bench = await openBench();
  const ignore = () => {};
  agent = createAgent({
    node: 'n1',
    registry: bench.registry,
    dataplane: linuxOver(await openTestKernel(), network.namespaces.prefix),
    neighbours: NO_NEIGHBOURS,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  await agent.start();
  for (const forward of FORWARDS) expect(await post('/v1/forwards', forward)).toMatchObject({ router: network.router });
  arriving = openCapture(network.instance, 'eth0');
  returning = openCapture(network.client, 'eth0');
});

afterAll(async () => {
  arriving?.[Symbol.dispose]();
  returning?.[Symbol.dispose]();
  await agent?.stop();
  await bench?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

async function post(url: string, payload: Readonly<Record<string, unknown>>) {
  return (await bench.api.inject({ method: 'POST', url, payload })).json();
}

function send(namespace: string, protocol: Protocol, kind: 'opening' | 'answer', ends: Ends): void {
  using sender = openRawSender(namespace, ends.source, PROTOCOL_NUMBERS[protocol]);
  sender.send(ends.destination, segment(protocol, kind, ends));
}

function seenBy(capture: Capture, wanted: (packet: SeenPacket) => boolean): Ends | null {
  const seen = capture.next((data) => {
    const packet = readPacket(data);
    return packet !== undefined && wanted(packet) ? packet : undefined;
  });
  if (seen === undefined) return null;
  const { source, sourcePort, destination, destinationPort } = seen;
  return { source, sourcePort, destination, destinationPort };
}

/** What the target sees of the packet; null: nothing, since one that was sent after it came first. */
function arrivalOf(protocol: Protocol, ends: Ends): Ends | null {
  send(network.client, protocol, 'opening', ends);
  const last = { ...ends, sourcePort: ++lastPort, destination: GATEWAY[familyOf(ends)], destinationPort: 999 };
  send(network.client, 'udp', 'opening', last);
  const first = seenBy(arriving, ({ sourcePort }) => sourcePort === ends.sourcePort || sourcePort === last.sourcePort);
  expect(first, 'something arrives').not.toBeNull();
  return first?.sourcePort === ends.sourcePort ? first : null;
}

function familyOf({ destination }: Pick<Ends, 'destination'>): 4 | 6 {
  return destination.includes(':') ? 6 : 4;
}

test.for<readonly [Protocol, string, number, string]>([
  ['tcp', GATEWAY[4], 5001, 'taken'],
  ['udp', GATEWAY[4], 5007, 'taken'],
  ['tcp', ROUTED[4], 80, 'taken'],
  ['tcp', GATEWAY[6], 5004, 'taken'],
  ['udp', ROUTED[6], 53, 'taken'],
  ['tcp', GATEWAY[4], 5002, 'protocol'],
  ['tcp', GATEWAY[4], 5010, 'port'],
  ['udp', GATEWAY[4], 5010, 'port'],
  ['udp', ROUTED[4], 80, 'protocol'],
  ['tcp', GATEWAY[4], 81, 'source'],
  ['tcp', GATEWAY[4], 82, 'disabled'],
  ['udp', GATEWAY[6], 53, 'address'],
])('%s to %s port %i goes where the trace says: %s', async ([protocol, destination, destinationPort, outcome]) => {
  const source = CLIENT[familyOf({ destination })];
  const sourcePort = ++lastPort;
  const request = { protocol, source, source_port: sourcePort, destination, destination_port: destinationPort };
  const traced = await post('/v1/trace', request);
  expect(traced.nodes).toMatchObject([{ node: 'n1', applied: true, message: null }]);
  const arrival = arrivalOf(protocol, { source, sourcePort, destination, destinationPort });
  if (outcome !== 'taken') {
    expect(traced).toMatchObject({ forward: null, target: null, reply: null });
    expect(traced.misses[0].refusals).toMatchObject([{ reason: outcome }]);
    expect(arrival).toBeNull();
    return;
  }
  const { target, reply } = traced;
  expect(arrival).toEqual({ source, sourcePort, destination: target.address, destinationPort: target.port });
  const answer = {
    source: target.address,
    sourcePort: target.port,
    destination: source,
    destinationPort: sourcePort,
  };
  send(network.instance, protocol, 'answer', answer);
  expect(seenBy(returning, (packet) => packet.destinationPort === sourcePort)).toEqual({
    source: reply.source,
    sourcePort: reply.source_port,
    destination: reply.destination,
    destinationPort: reply.destination_port,
  });
});
