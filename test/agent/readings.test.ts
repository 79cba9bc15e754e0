import { expect, test } from 'vitest';
import { createReadings } from '../../src/agent/readings.ts';
import { createUsage } from '../../src/agent/usage.ts';
import { FORGETFUL } from '../../src/agent/usage-memory.ts';
import type { Dataplane, WatchPatience } from '../../src/dataplane/dataplane.ts';
import { parseAddress } from '../../src/model/address.ts';
import { hatobaError } from '../../src/model/errors.ts';
import type { Observation } from '../../src/model/observation.ts';
import { createMemoryWorld } from '../contract/memory-dataplane.ts';
import { idOf } from '../model/arbitraries.ts';
import { programOf, ruleOf } from '../program/programs.ts';

const PROGRAM = programOf([
  ruleOf(1, 'tcp', ['198.51.100.1', 80], ['10.0.0.1', 80]),
  ruleOf(2, 'tcp', ['198.51.100.1', 81], ['10.0.0.1', 81]),
]);
const FLOW = {
  protocol: 'tcp',
  source: parseAddress('198.51.100.5'),
  sourcePort: null,
  destination: parseAddress('198.51.100.1'),
  port: 80,
} as const;

/** Two instances of one router, in a data plane that answers so. */
function readingsOf(answers: Partial<Dataplane>) {
  const places = ['snat-r', 'qrouter-r'].map((id) => ({
    instance: { id, router: 'r', gateways: {} },
    applied: { program: PROGRAM },
  }));
  return createReadings({
    node: 'n1',
    places: { of: (router) => (router === 'r' ? places : []), all: () => places },
    dataplane: { ...createMemoryWorld().open(), ...answers },
    usage: createUsage({ memory: FORGETFUL, present: () => true, onError: () => undefined }),
  });
}

function seenIn(instance: string): Observation {
  const arrived = { source: '198.51.100.5', sourcePort: 4000, destination: '198.51.100.1', destinationPort: 80 };
  const way = { arrived, from: null, steps: [], outcome: 'lost', left: null, to: null } as const;
  return { instance, way, knownFlow: false, reply: null, legacyTables: [] };
}

test('live flows of all instances are added up, those of one forward are of its rule alone', async () => {
  const asked: number[] = [];
  const readings = readingsOf({
    liveFlows: async (_, program) => {
      asked.push(program.size);
      return new Map([...program.keys()].map((id) => [id, 2]));
    },
  });
  expect(await readings.liveFlows('r', null)).toEqual(new Map([1, 2].map((forward) => [idOf(forward), 4])));
  expect(await readings.liveFlows('r', idOf(2))).toEqual(new Map([[idOf(2), 4]]));
  expect(await readings.liveFlows('r', idOf(3))).toEqual(new Map());
  expect(await readings.liveFlows('elsewhere', null)).toEqual(new Map());
  expect(asked).toEqual([2, 2, 1, 1, 0, 0]);
});

test('an instance that has just gone has no connection tracking; other failures are told', async () => {
  const failing = (code: 'namespace_gone' | 'kernel_stopped') =>
    readingsOf({
      flowUsage: async (id) => {
        if (id === 'qrouter-r') return { entries: 3, limit: 9 };
        throw code === 'namespace_gone'
          ? hatobaError(code, { namespace: id })
          : hatobaError(code, { reason: 'it was stopped' });
      },
    }).flowUsage();
  expect(await failing('namespace_gone')).toEqual([{ router: 'r', instance: 'qrouter-r', entries: 3, limit: 9 }]);
  await expect(failing('kernel_stopped')).rejects.toMatchObject({ code: 'kernel_stopped' });
});

/** Waits as long as somebody waits for it. */
function untilNobodyWaits({ signal }: WatchPatience): Promise<null> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
}

test('the first instance that sees a packet ends the wait of the others, as does one that fails', async () => {
  const patience = { seconds: 60, signal: new AbortController().signal };
  const readings = readingsOf({
    observe: async (id, _, waits) => (id === 'qrouter-r' ? seenIn(id) : untilNobodyWaits(waits)),
  });
  expect(await readings.observe('r', FLOW, patience)).toMatchObject({ instance: 'qrouter-r' });
  let ended = false;
  const failing = readingsOf({
    observe: async (id, _, waits) => {
      if (id === 'qrouter-r') throw hatobaError('watches_exhausted', { namespace: id, count: 4 });
      await untilNobodyWaits(waits);
      ended = true;
      return null;
    },
  });
  await expect(failing.observe('r', FLOW, patience)).rejects.toMatchObject({ code: 'watches_exhausted' });
  await expect.poll(() => ended).toBe(true);
});

test('who waits no longer, and a router that is not here', async () => {
  const readings = readingsOf({ observe: async (_id, _flow, waits) => untilNobodyWaits(waits) });
  const leaving = new AbortController();
  const result = readings.observe('r', FLOW, { seconds: 60, signal: leaving.signal });
  leaving.abort();
  expect(await result).toBeNull();
  const elsewhere = readings.observe('elsewhere', FLOW, { seconds: 60, signal: new AbortController().signal });
  await expect(elsewhere).rejects.toMatchObject({ code: 'router_elsewhere' });
});
