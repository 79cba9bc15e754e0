import type { Address } from '../../../model/address.ts';
import type { Change } from '../../../program/diff.ts';
import type { Rule } from '../../../program/rule.ts';

/** The addresses that the rules of a table have outside. */
export interface OutsideAddresses {
  all(): readonly Address[];
  /** What a change makes of them, once it is made. */
  plan(change: Change): AddressPlan;
}

export interface AddressPlan {
  /** Those that no rule has any more. */
  readonly gone: readonly Address[];
  /** Those that no rule had before. */
  readonly come: readonly Address[];
  /** Makes it known that the change is made. */
  readonly done: () => void;
}

interface Counted {
  readonly address: Address;
  /** How many rules have it. */
  readonly rules: number;
}

/** Costs of a plan grow with the change, not with the rules there are. */
export function outsideAddresses(rules: Iterable<Rule> = []): OutsideAddresses {
  const known = new Map<string, Counted>();

  function plan({ remove, add }: Change): AddressPlan {
    const next = new Map<string, Counted>();
    const count = (address: Address, by: number) => {
      const before = next.get(address.text) ?? known.get(address.text);
      next.set(address.text, { address, rules: (before?.rules ?? 0) + by });
    };
    for (const { external } of remove) count(external, -1);
    for (const { external } of add) count(external, 1);
    const changed = [...next.values()].filter(({ address, rules }) => known.has(address.text) !== rules > 0);
    return {
      gone: changed.filter(({ rules }) => rules === 0).map(({ address }) => address),
      come: changed.filter(({ rules }) => rules > 0).map(({ address }) => address),
      done() {
        for (const [text, counted] of next) {
          if (counted.rules > 0) known.set(text, counted);
          else known.delete(text);
        }
      },
    };
  }

  plan({ remove: [], add: [...rules] }).done();
  return { all: () => Array.from(known.values(), ({ address }) => address), plan };
}
