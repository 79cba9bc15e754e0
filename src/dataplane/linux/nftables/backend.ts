import type { SetElement, TableChange } from '../../../kernel/nft-batch.ts';
import type { TableState } from '../../../kernel/nft-table.ts';
import type { Cidr } from '../../../model/cidr.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Rule } from '../../../program/rule.ts';
import { type Backend, type BackendSurroundings, tellFlowsLeft } from '../backend.ts';
import { correct } from './correction.ts';
import { sumCounters } from './counters.ts';
import { elementsOf, hairpinElements } from './elements.ts';
import { flowRules } from './flows.ts';

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
  return {
    async synchronise({ table: found }, program, inside, { draining, gone }) {
      const { change, count } = correct(found, wanted(inside, program.values()), kernel.fingerprint);
      if (change !== null || gone.length > 0) {
        const removed = [...takenAway(change, found), ...elements(gone)];
        await make(change, { removed, draining, added: change?.add ?? [] });
      }
      installed = found !== null || change !== null;
      return count;
    },
    async apply(change, inside, draining) {
      const [remove, add] = [elements(change.remove), elements(change.add)];
      const wish: TableChange = installed
        ? { table: 'keep', remove, add }
        : { table: 'create', remove: [], add: wanted(inside, change.add) };
      await make(wish, { removed: wish.remove, draining, added: add });
      installed = true;
    },
    async counters(forward) {
      if (!installed) return new Map();
      return sumCounters(await kernel.readCounters(forward), { accounting });
    },
    async remove({ table: found }, stay, draining) {
      const change: TableChange = { table: 'delete', remove: [], add: [] };
      if (found !== null) await make(change, { removed: takenAway(change, found), draining, added: elements(stay) });
      installed = false;
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

  /** Everything that the table is to have. */
  function wanted(inside: readonly Cidr[], rules: Iterable<Rule>): readonly SetElement[] {
    return [...hairpinElements(inside), ...elements(rules)];
  }
}

function takenAway(change: TableChange | null, found: TableState | null): readonly SetElement[] {
  if (change === null || change.table === 'keep') return change?.remove ?? [];
  return [...(found?.elements ?? [])].flatMap(([set, elements]) => elements.map((element) => ({ ...element, set })));
}
