import type { SetElement, TableChange } from '../../../kernel/nft/nft-batch.ts';
import type { TableState } from '../../../kernel/nft/nft-table.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Change } from '../../../program/diff.ts';
import { type Program, type Rule, sameRule } from '../../../program/rule.ts';
import { type Backend, type BackendSurroundings, successors, tellFlowsLeft } from '../backend.ts';
import type { InsideInterface } from '../inside-interfaces.ts';
import { correct, type Wanted } from './correction.ts';
import { sumCounters } from './counters.ts';
import { elementsOf, hairpinElements, outsideElements } from './elements.ts';
import { flowRules } from './flows.ts';
import { type OutsideAddresses, outsideAddresses } from './outside-addresses.ts';
import { readStoredRules } from './stored-rules.ts';

interface Passing {
  readonly removed: readonly SetElement[];
  readonly draining: ReadonlySet<ForwardId>;
  readonly added: readonly SetElement[];
}

/** One table of our own (layout.ts). `accounting`: whether packets and bytes are counted. */
export function createNftables(around: BackendSurroundings, accounting: boolean): Backend {
  const { kernel } = around;
  /** Whether our table is there, as far as we know. */
  let installed = false;
  /** As the rules have them that are there, likewise. */
  let outside = outsideAddresses();
  return {
    async synchronise({ table: found }, program, inside, { draining, gone }) {
      const addresses = outsideAddresses(program.values());
      const elementsNow = wanted(inside, program, addresses);
      // A table that was there comes back without elements, too: Linux tracks and translates packets of flows that drain
      // only while some rule in the namespace makes it do so.
      const { change, count } = correct(found, elementsNow, kernel.fingerprint, installed);
      if (change !== null || gone.length > 0) {
        const removed = [...takenAway(change, found), ...elements(gone)];
        const added = [...(change?.add ?? []), ...elements(successors(program, gone))];
        await make(change, { removed, draining, added });
      }
      installed = found !== null || change !== null;
      outside = addresses;
      return count;
    },
    async apply(change, inside, draining) {
      const { gone, come, done } = outside.plan(change);
      const remove = [...outsideElements(gone), ...elements(change.remove)];
      const add = [...outsideElements(come), ...(await counted(change))];
      const table: TableChange = installed
        ? { table: 'keep', remove, add }
        : { table: 'create', remove: [], add: [...hairpinElements(inside), ...add] };
      await make(table, { removed: table.remove, draining, added: add });
      installed = true;
      done();
    },
    async counters(forward) {
      if (!installed) return new Map();
      return sumCounters(await kernel.readCounters(forward), { accounting });
    },
    async storedRules({ table: found }, isMeant) {
      return found === null ? [] : readStoredRules(found, isMeant);
    },
    async remove({ table: found }, stay, draining) {
      const change: TableChange = { table: 'delete', remove: [], add: [] };
      if (found !== null) await make(change, { removed: takenAway(change, found), draining, added: elements(stay) });
      installed = false;
      outside = outsideAddresses();
    },
    disturbed: () => true,
  };

  /** `null`: the table is as it should be. `passing`: what led flows, whose go on all the same, and what leads them now. */
  async function make(change: TableChange | null, passing: Passing): Promise<void> {
    const removed = passing.removed.filter(({ comment }) => !passing.draining.has(comment));
    const flows = { removed: flowRules(removed), added: flowRules(passing.added) };
    tellFlowsLeft(await kernel.change(change, flows), around);
  }

  function elements(rules: Iterable<Rule>): readonly SetElement[] {
    return [...rules].flatMap((rule) => elementsOf(rule, { accounting }));
  }

  /** What is to be added; rules that are there and only end at another time go on counting. */
  async function counted({ remove, add }: Change): Promise<readonly SetElement[]> {
    const before = new Map(remove.map((rule) => [rule.forward, rule]));
    const renewed = new Set(
      add.filter((rule) => isRenewed(before.get(rule.forward), rule)).map(({ forward }) => forward),
    );
    const [only = null, ...others] = renewed;
    const found = renewed.size === 0 ? [] : await kernel.readCounters(others.length === 0 ? only : null);
    const counters = new Map(found.map(({ set, key, packets, bytes }) => [`${set} ${key}`, { packets, bytes }]));
    return elements(add).map((element) => {
      const begin = renewed.has(element.comment) ? counters.get(`${element.set} ${element.key}`) : undefined;
      return begin === undefined ? element : { ...element, counted: begin };
    });
  }

  /** Everything that the table is to have. It is made with the first rule, and is kept after the last. */
  function wanted(inside: readonly InsideInterface[], program: Program, addresses: OutsideAddresses): Wanted {
    const rules = [...outsideElements(addresses.all()), ...elements(program.values())];
    return { surroundings: hairpinElements(inside), rules };
  }
}

function isRenewed(before: Rule | undefined, after: Rule): boolean {
  return before !== undefined && sameRule({ ...before, expiresAt: after.expiresAt }, after);
}

function takenAway(change: TableChange | null, found: TableState | null): readonly SetElement[] {
  if (change === null || change.table === 'keep') return change?.remove ?? [];
  return [...(found?.elements ?? [])].flatMap(([set, elements]) => elements.map((element) => ({ ...element, set })));
}
