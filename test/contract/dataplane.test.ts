import type { Rule } from '../../src/program/rule.ts';
import { ruleOf } from '../program/programs.ts';
import { linesOf } from '../program/rule-lines.ts';
import { type Damage, type DataplaneWorld, dataplaneContract } from './dataplane-contract.ts';
import { createMemoryWorld } from './memory-dataplane.ts';

const STRANGE = ruleOf(666, 'tcp', ['203.0.113.66', 66], ['10.0.0.66', 66]);

dataplaneContract('in memory', makeWorld);

async function makeWorld(): Promise<DataplaneWorld> {
  const world = createMemoryWorld();
  return {
    open: async () => world.open(),
    id: (label) => `router-${label}`,
    add: async (id) => world.add(id),
    remove: async (id) => world.remove(id),
    setGateways: async (id, gateways) => world.setGateways(id, gateways),
    contents: async (id) => world.contents(id)?.flatMap(linesOf).sort() ?? null,
    damage: async (id, damage) => world.tamper(id, (contents) => damaged(new Map(contents), damage)),
    [Symbol.asyncDispose]: async () => {},
  };
}

function damaged(contents: Map<string, Rule>, damage: Damage): Map<string, Rule> | null {
  const [rule = STRANGE] = contents.values();
  switch (damage) {
    case 'an entry removed':
      contents.delete(rule.forward);
      return contents;
    case 'an entry added':
      return contents.set(STRANGE.forward, STRANGE);
    case 'an entry turned elsewhere':
      return contents.set(rule.forward, { ...rule, internal: STRANGE.internal });
    case 'all of it removed':
      return null;
  }
}
