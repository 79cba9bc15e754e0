import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Dataplane, DataplaneEvent } from '../../src/dataplane/dataplane.ts';
import { parseAddress } from '../../src/model/address.ts';
import type { Protocol } from '../../src/model/protocol.ts';
import type { Gateways } from '../../src/model/router.ts';
import { diff } from '../../src/program/diff.ts';
import type { Program } from '../../src/program/rule.ts';
import { idOf, PROTOCOLS } from '../model/arbitraries.ts';
import { programOf, programs, ruleOf } from '../program/programs.ts';
import { linesOf } from '../program/rule-lines.ts';

/** What a stranger does to what we wrote. */
export const DAMAGES = [
  'an entry removed',
  'an entry added',
  'an entry turned elsewhere',
  'all of it removed',
] as const;
export type Damage = (typeof DAMAGES)[number];

/** Somewhere a data plane can find routers, none at first. Disposing removes everything. */
export interface DataplaneWorld extends AsyncDisposable {
  /** Another data plane over the same routers, as after a restart. */
  open(): Promise<Dataplane>;
  /** The instance's id, for a label that the suite chooses. */
  id(label: string): string;
  add(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** Gives the router these gateway addresses, instead of any it had. */
  setGateways(id: string, gateways: Gateways): Promise<void>;
  /** What is programmed there, as some other program sees it, as `linesOf` prints it, in alphabetical order; `null`: nothing of ours. */
  contents(id: string): Promise<readonly string[] | null>;
  /** Where an entry is damaged that was there, it is the one of TCP port 80 at 203.0.113.7. */
  damage(id: string, damage: Damage): Promise<void>;
}

/** What an implementation may lack. */
export interface Abilities {
  readonly protocols: readonly Protocol[];
  /** Whether it hears of what strangers do. */
  readonly hearsStrangers: boolean;
}

const ALL: Abilities = { protocols: PROTOCOLS, hearsStrangers: true };

const UNIVERSE = {
  external: ['203.0.113.7', '203.0.113.8', '2001:db8::7', '2001:db8::8'].map(parseAddress),
  externalPorts: [1, 80, 65535, '1-3', '2-90', '65000-65535'],
  internal: ['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2'].map(parseAddress),
  internalPorts: [1, 22, 65535],
  sources: ['192.0.2.0/24', '192.0.3.0/24', '198.51.100.7/32', '2001:db8:a::/48', '2001:db8:b::1/128'],
};

/** What every implementation of the data plane port has to do. */
export function dataplaneContract(
  name: string,
  makeWorld: () => Promise<DataplaneWorld>,
  { protocols, hearsStrangers }: Abilities = ALL,
): void {
  const universe = { ...UNIVERSE, protocols };
  describe(name, () => {
    let world: DataplaneWorld;
    let dataplane: Dataplane;
    let events: DataplaneEvent[];
    let a: string;

    beforeEach(async () => {
      world = await makeWorld();
      a = world.id('a');
      await begin();
    });

    afterEach(async () => {
      await dataplane.stop();
      await world[Symbol.asyncDispose]();
    });

    async function restart(): Promise<void> {
      await dataplane.stop();
      await begin();
    }

    async function begin(): Promise<void> {
      dataplane = await world.open();
      events = [];
      await dataplane.start((event) => events.push(event));
    }

    async function addRouter(id = a): Promise<void> {
      await world.add(id);
      await told({ kind: 'appeared', instance: { id } });
    }

    /** Waits until the last event is like this. */
    async function told(event: object): Promise<void> {
      await expect.poll(() => events.at(-1)).toMatchObject(event);
    }

    async function expectContents(program: Program, id = a): Promise<void> {
      expect(await world.contents(id)).toEqual([...program.values()].flatMap(linesOf).sort());
    }

    const first = programOf([
      ruleOf(1, 'tcp', ['203.0.113.7', 80], ['10.0.0.1', 8080]),
      ruleOf(2, 'udp', ['203.0.113.7', 80], ['10.0.0.1', 53]),
      ruleOf(3, 'tcp', ['2001:db8::7', 80], ['fd00::1', 8080]),
      ruleOf(4, 'sctp', ['2001:db8::7', 80], ['fd00::2', 36412]),
      ruleOf(5, 'tcp', ['203.0.113.7', '8000-8999'], ['10.0.0.1', '8000-8999']),
      ruleOf(6, 'udp', ['2001:db8::7', '100-102'], ['fd00::1', '1100-1102']),
      ruleOf(7, 'tcp', ['203.0.113.7', 81], ['10.0.0.1', 81], '192.0.2.0/24', '198.51.100.7/32'),
      ruleOf(8, 'tcp', ['203.0.113.7', 81], ['10.0.0.2', 81], '192.0.3.0/24'),
    ]);

    describe('unknown rules', () => {
      test('are those of forwards that are not known, as they were written, also by one that was there before', async () => {
        await addRouter();
        expect(await dataplane.unknownRules(a, () => false)).toEqual([]);
        await dataplane.synchronise(a, first);
        await restart();
        const found = await dataplane.unknownRules(a, () => false);
        expect(programOf(found)).toEqual(first);
        const [known, ...others] = first.keys();
        const rest = await dataplane.unknownRules(a, (id) => id === known);
        expect(rest.map(({ forward }) => forward).sort()).toEqual(others);
        expect(await dataplane.unknownRules(a, () => true)).toEqual([]);
        await expectContents(first);
      });

      test('kept in the program, they are nothing to correct', async () => {
        await addRouter();
        await dataplane.synchronise(a, first);
        await restart();
        const found = programOf(await dataplane.unknownRules(a, () => false));
        expect(await dataplane.synchronise(a, found)).toEqual({ corrections: 0 });
      });
    });

    describe('start', () => {
      test('where there is nothing, tells nothing', () => {
        expect(events).toEqual([]);
      });

      test('has told what is there, with its gateways, before it resolves', async () => {
        const b = world.id('b');
        const gateways = { 4: parseAddress('192.0.2.1'), 6: parseAddress('2001:db8::1') };
        await world.add(a);
        await world.add(b);
        await world.setGateways(b, gateways);
        await restart();
        expect(events).toHaveLength(2);
        expect(events).toContainEqual({
          kind: 'appeared',
          instance: expect.objectContaining({ id: a, router: a, gateways: {} }),
        });
        expect(events).toContainEqual({
          kind: 'appeared',
          instance: expect.objectContaining({ id: b, router: b, gateways }),
        });
      });
    });

    describe('events', () => {
      test('a router appears, vanishes and appears again', async () => {
        for (let round = 0; round < 2; round++) {
          await addRouter();
          await world.remove(a);
          await told({ kind: 'vanished', id: a });
        }
        expect(events.map(({ kind }) => kind)).toEqual(['appeared', 'vanished', 'appeared', 'vanished']);
      });

      test('gateways come, change and go', async () => {
        await addRouter();
        for (const gateways of [{ 4: parseAddress('192.0.2.1') }, { 4: parseAddress('192.0.2.2') }, {}]) {
          await world.setGateways(a, gateways);
          await told({ kind: 'changed', instance: { id: a, gateways } });
        }
      });

      test('what we do ourselves is no disturbance', async () => {
        await addRouter();
        await dataplane.synchronise(a, first);
        await dataplane.apply(a, diff(first, new Map()));
        await dataplane.clean(a);
        await dataplane.alive();
        expect(events.map(({ kind }) => kind)).toEqual(['appeared']);
      });
    });

    describe('synchronise', () => {
      beforeEach(() => addRouter());

      test('from nothing', async () => {
        expect((await dataplane.synchronise(a, first)).corrections).toBeGreaterThan(0);
        await expectContents(first);
      });

      test('an empty program into nothing makes nothing', async () => {
        expect(await dataplane.synchronise(a, new Map())).toEqual({ corrections: 0 });
        expect(await world.contents(a)).toBeNull();
      });

      test('again, there is nothing to correct', async () => {
        await dataplane.synchronise(a, first);
        expect(await dataplane.synchronise(a, first)).toEqual({ corrections: 0 });
        await restart();
        expect(await dataplane.synchronise(a, first)).toEqual({ corrections: 0 });
        await expectContents(first);
      });

      test('from what an earlier process left there', async () => {
        await dataplane.synchronise(a, first);
        await restart();
        const next = programOf(
          [...first.values()].slice(1).concat(ruleOf(9, 'tcp', ['203.0.113.7', 80], ['10.0.0.2', 1])),
        );
        expect((await dataplane.synchronise(a, next)).corrections).toBeGreaterThan(0);
        await expectContents(next);
        expect((await dataplane.synchronise(a, new Map())).corrections).toBeGreaterThan(0);
        await expectContents(new Map());
      });

      test.each(hearsStrangers ? DAMAGES : [])('%s: told, and put right', async (damage) => {
        await dataplane.synchronise(a, first);
        await world.damage(a, damage);
        await told({ kind: 'disturbed', id: a });
        expect((await dataplane.synchronise(a, first)).corrections).toBeGreaterThan(0);
        await expectContents(first);
        expect(await dataplane.synchronise(a, first)).toEqual({ corrections: 0 });
      });

      test.each(DAMAGES)('%s while nobody was looking: put right', async (damage) => {
        await dataplane.synchronise(a, first);
        await dataplane.stop();
        await world.damage(a, damage);
        await restart();
        expect((await dataplane.synchronise(a, first)).corrections).toBeGreaterThan(0);
        await expectContents(first);
      });
    });

    describe('apply', () => {
      beforeEach(() => addRouter());

      test('adds to nothing, with nothing known before', async () => {
        await dataplane.apply(a, diff(new Map(), first));
        await expectContents(first);
      });

      test('goes from any program to any other', async () => {
        const some = fc.array(programs(universe), { minLength: 1, maxLength: 4 });
        await fc.assert(fc.asyncProperty(programs(universe), some, goThrough), { numRuns: 10 });
      });

      async function goThrough(start: Program, others: readonly Program[]): Promise<void> {
        await dataplane.synchronise(a, start);
        let present = start;
        for (const next of others) {
          await dataplane.apply(a, diff(present, next));
          await expectContents(next);
          present = next;
        }
      }

      test('turns a port elsewhere, also for another forward', async () => {
        await dataplane.synchronise(a, first);
        const next = programOf([
          ...[...first.values()].slice(1),
          ruleOf(19, 'tcp', ['203.0.113.7', 80], ['10.0.0.9', 8080]),
        ]);
        await dataplane.apply(a, diff(first, next));
        await expectContents(next);
      });

      test('a change that cannot be made whole is not made at all', async () => {
        await dataplane.synchronise(a, first);
        const add = [ruleOf(18, 'tcp', ['203.0.113.7', 8], ['10.0.0.1', 8])];
        const remove = [...first.values(), ruleOf(19, 'tcp', ['203.0.113.7', 9], ['10.0.0.1', 9])];
        const taken = [
          ruleOf(18, 'tcp', ['203.0.113.7', 8], ['10.0.0.1', 8]),
          ruleOf(19, 'tcp', ['203.0.113.7', 80], ['10.0.0.9', 9]),
        ];
        for (const change of [
          { remove, add },
          { remove: [], add: taken },
        ]) {
          await expect(dataplane.apply(a, change)).rejects.toMatchObject({ code: 'kernel_refused' });
          await expectContents(first);
        }
      });
    });

    test('clean removes everything, once and again, and is no obstacle to what comes next', async () => {
      await addRouter();
      await dataplane.clean(a);
      await dataplane.synchronise(a, first);
      for (let round = 0; round < 2; round++) {
        await dataplane.clean(a);
        expect(await world.contents(a)).toBeNull();
      }
      await dataplane.apply(a, diff(new Map(), first));
      await expectContents(first);
    });

    test('counters: of every forward, or of one', async () => {
      await addRouter();
      expect(await dataplane.counters(a, null)).toEqual(new Map());
      await dataplane.synchronise(a, first);
      const all = await dataplane.counters(a, null);
      expect([...all.keys()].sort()).toEqual([...first.keys()].sort());
      for (const { connections } of all.values()) expect(connections).toBe(0);
      const [id = ''] = first.keys();
      expect([...(await dataplane.counters(a, id)).keys()]).toEqual([id]);
      expect(await dataplane.counters(a, idOf(99))).toEqual(new Map());
    });

    test('routers are kept apart', async () => {
      const b = world.id('b');
      await addRouter(a);
      await addRouter(b);
      const other = programOf([ruleOf(1, 'tcp', ['203.0.113.7', 80], ['10.0.0.2', 8080])]);
      await Promise.all([dataplane.synchronise(a, first), dataplane.synchronise(b, other)]);
      await expectContents(first, a);
      await expectContents(other, b);
      await world.remove(a);
      await told({ kind: 'vanished', id: a });
      await expectContents(other, b);
    });

    test('a router that is not there is gone', async () => {
      for (const attempt of [
        () => dataplane.synchronise(a, first),
        () => dataplane.apply(a, diff(new Map(), first)),
        () => dataplane.clean(a),
        () => dataplane.counters(a, null),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'namespace_gone' });
      }
    });

    test('a router that was replaced has nothing of its predecessor, and is programmed', async () => {
      await addRouter();
      await dataplane.synchronise(a, first);
      await world.remove(a);
      await told({ kind: 'vanished', id: a });
      await addRouter();
      expect(await world.contents(a)).toBeNull();
      await dataplane.synchronise(a, first);
      await expectContents(first);
    });

    test('stop leaves everything as it is', async () => {
      await addRouter();
      await dataplane.synchronise(a, first);
      await dataplane.stop();
      await expectContents(first);
    });

    test('all ports but those of others: shifted, kept, to one', async () => {
      await addRouter();
      const wide = programOf([
        ruleOf(1, 'tcp', ['203.0.113.7', '1-65535'], ['10.0.0.1', '1-65535']),
        ruleOf(2, 'udp', ['203.0.113.7', '1-65535'], ['10.0.0.1', 53]),
        ruleOf(3, 'tcp', ['203.0.113.8', '1-60000'], ['10.0.0.1', '5001-65000']),
      ]);
      await dataplane.synchronise(a, wide);
      await expectContents(wide);
      expect(await dataplane.synchronise(a, wide)).toEqual({ corrections: 0 });
      await dataplane.apply(a, diff(wide, first));
      await expectContents(first);
    });

    test('10,000 rules, and one more', async () => {
      await addRouter();
      const many = programOf(
        Array.from({ length: 10_000 }, (_, index) =>
          index % 2 === 0
            ? ruleOf(index, 'tcp', ['203.0.113.7', 1 + index], ['10.0.0.1', 1 + index])
            : ruleOf(index, 'udp', ['2001:db8::7', 1 + index], ['fd00::1', 1 + index]),
        ),
      );
      await dataplane.synchronise(a, many);
      await expectContents(many);
      const more = new Map(many).set(idOf(20_000), ruleOf(20_000, 'tcp', ['203.0.113.8', 1], ['10.0.0.1', 1]));
      await dataplane.apply(a, diff(many, more));
      expect(await dataplane.synchronise(a, more)).toEqual({ corrections: 0 });
    });
  });
}
