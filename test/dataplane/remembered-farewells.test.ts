import { beforeEach, expect, test } from 'vitest';
import type { Dataplane, Farewell } from '../../src/dataplane/dataplane.ts';
import type { FarewellMemory } from '../../src/dataplane/farewell-memory.ts';
import { rememberFarewells } from '../../src/dataplane/remembered-farewells.ts';
import type { Rule } from '../../src/program/rule.ts';
import { createMemoryWorld, type MemoryWorld } from '../contract/memory-dataplane.ts';
import { programOf, ruleOf } from '../program/programs.ts';

const [ENDING, DRAINING, OTHER] = [1, 2, 3].map((id) =>
  ruleOf(id, 'udp', ['198.51.100.1', 5000 + id], ['10.20.0.11', 22]),
);
const ALL = [ENDING, DRAINING, OTHER].filter((rule) => rule !== undefined);
const draining = new Set(DRAINING && [DRAINING.forward]);

let world: MemoryWorld;
let kept: Map<string, readonly Rule[]>;
let errors: unknown[];
/** What the data plane was told of flows. */
let told: (Farewell | undefined)[];
/** Ends a daemon in the middle of a call, when its change is made. */
let isKilled: boolean;

beforeEach(() => {
  world = createMemoryWorld();
  world.add('r');
  [kept, errors, told, isKilled] = [new Map(), [], [], false];
});

function open(differences: Partial<FarewellMemory> = {}): Dataplane {
  const inner = world.open();
  const memory: FarewellMemory = {
    recall: async (id) => kept.get(id) ?? [],
    remember: async (id, rules) => void kept.set(id, [...(kept.get(id) ?? []), ...rules]),
    forget: async (id) => void kept.delete(id),
    ...differences,
  };
  const endIfKilled = () => {
    if (isKilled) throw new Error('killed');
  };
  const recorded: Dataplane = {
    ...inner,
    async synchronise(id, program, farewell) {
      told.push(farewell);
      const correction = await inner.synchronise(id, program);
      endIfKilled();
      return correction;
    },
    async apply(id, change, ids) {
      await inner.apply(id, change, ids);
      endIfKilled();
    },
  };
  return rememberFarewells(recorded, memory, (_, error) => errors.push(error));
}

const rest = programOf(OTHER === undefined ? [] : [OTHER]);
const change = { remove: ALL.filter((rule) => rule !== OTHER), add: [] };

test('of one that was killed behind its change, the next ends the flows, but for those that drain', async () => {
  const killed = open();
  await killed.synchronise('r', programOf(ALL));
  isKilled = true;
  await expect(killed.apply('r', change, draining)).rejects.toThrow('killed');
  isKilled = false;
  const next = open();
  await next.synchronise('r', rest);
  await next.synchronise('r', rest);
  expect(told.map((farewell) => farewell?.gone)).toEqual([[], [ENDING], []]);
});

test('likewise where it was killed while it put something right, and again', async () => {
  isKilled = true;
  for (const gone of [[ENDING], [OTHER]].map((rules) => rules.filter((rule) => rule !== undefined)))
    await expect(open().synchronise('r', new Map(), { draining, gone })).rejects.toThrow('killed');
  isKilled = false;
  await open().synchronise('r', new Map(), { draining, gone: [] });
  expect(told.at(-1)).toEqual({ draining, gone: [ENDING, OTHER] });
});

test('nothing is kept of what was done, and nothing written where no flow is to end', async () => {
  const written: string[] = [];
  const dataplane = open({
    remember: async (id) => void written.push(id),
    forget: async (id) => void written.push(`no more ${id}`),
  });
  await dataplane.synchronise('r', programOf(ALL));
  await dataplane.apply('r', { remove: ALL.filter((rule) => rule === DRAINING), add: [] }, draining);
  expect(written).toEqual([]);
  await dataplane.apply('r', { remove: ALL.filter((rule) => rule === ENDING), add: [] }, draining);
  expect(written).toEqual(['r', 'no more r']);
});

test('a memory that fails keeps nobody from a change', async () => {
  const fail = () => Promise.reject(new Error('the disk is full'));
  const dataplane = open({ recall: fail, remember: fail, forget: fail });
  await dataplane.synchronise('r', programOf(ALL));
  await dataplane.apply('r', change, draining);
  expect(world.contents('r')).toEqual([OTHER]);
  expect(errors).toHaveLength(3);
});
