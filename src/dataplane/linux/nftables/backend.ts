import type { SetElement, TableChange } from '../../../kernel/nft/nft-batch.ts';
import type { TableState } from '../../../kernel/nft/nft-table.ts';
import type { Cidr } from '../../../model/cidr.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Rule } from '../../../program/rule.ts';
import { type Backend, type BackendSurroundings, successors, tellFlowsLeft } from '../backend.ts';
import { correct } from './correction.ts';
import { sumCounters } from './counters.ts';
import { elementsOf, hairpinElements } from './elements.ts';
import { flowRules } from './flows.ts';
import { type OutsideAddresses, outsideAddresses } from './outside-addresses.ts';

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
      const { change, count } = correct(found, wanted(inside, program.values(), addresses), kernel.fingerprint);
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
      const remove = [...hairpinElements(inside, gone), ...elements(change.remove)];
      const add = [...hairpinElements(inside, come), ...elements(change.add)];
      const table: TableChange = installed ? { table: 'keep', remove, add } : { table: 'create', remove: [], add };
      await make(table, { removed: table.remove, draining, added: add });
      installed = true;
      done();
    },
    async counters(forward) {
      if (!installed) return new Map();
      return sumCounters(await kernel.readCounters(forward), { accounting });
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

  /** Everything that the table is to have. */
  function wanted(inside: readonly Cidr[], rules: Iterable<Rule>, addresses: OutsideAddresses): readonly SetElement[] {
    return [...hairpinElements(inside, addresses.all()), ...elements(rules)];
  }
}

function takenAway(change: TableChange | null, found: TableState | null): readonly SetElement[] {
  if (change === null || change.table === 'keep') return change?.remove ?? [];
  return [...(found?.elements ?? [])].flatMap(([set, elements]) => elements.map((element) => ({ ...element, set })));
}
