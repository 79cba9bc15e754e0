import { type Condition, eitherMark, type Mark, type PassingPacket } from './passing-packet.ts';

/** What a rule does to a packet that it is for. */
export type Action =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'pass' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'mark'; readonly mark: (before: Mark) => Mark }
  /** Ends its way, or not. */
  | { readonly kind: 'unclear' };

export interface FilterRule {
  /** As its program prints it. */
  readonly text: string;
  readonly condition: Condition;
  readonly action: Action;
}

export type FilterChains = ReadonlyMap<string, readonly FilterRule[]>;

export interface Outcome {
  readonly outcome: 'accept' | 'drop' | 'unclear';
  /** The rule that decides, or the first one on which it depends; `null`: the policy. */
  readonly rule: string | null;
  /** The packet's, at the end. */
  readonly mark: Mark;
}

/** Chains can lead to each other so that the way is exponentially long. */
const LONGEST_WAY = 20_000;
const DEEPEST_CALL = 100;

/**
 * The way of a packet through a chain. What cannot be told is not guessed: where it makes a difference, the outcome is
 * unclear.
 */
export function walk(chains: FilterChains, first: string, policy: 'accept' | 'drop', packet: PassingPacket): Outcome {
  const ends: Pick<Outcome, 'outcome' | 'rule'>[] = [];
  let mark = packet.mark;
  let steps = 0;

  /** Whether its way ends there for certain, if it comes there (`surely`) for certain. */
  function follow(chain: string, surely: boolean, depth: number): boolean {
    let certain = surely;
    for (const rule of chains.get(chain) ?? []) {
      if (++steps > LONGEST_WAY || depth > DEEPEST_CALL) {
        ends.push({ outcome: 'unclear', rule: rule.text });
        return true;
      }
      const truth = rule.condition({ ...packet, mark });
      if (truth === 'no') continue;
      const matches = truth === 'yes';
      const { action } = rule;
      switch (action.kind) {
        case 'accept':
        case 'drop':
        case 'unclear':
          ends.push({ outcome: action.kind, rule: rule.text });
          if (matches && action.kind !== 'unclear') return certain;
          break;
        case 'return':
          if (matches) return false;
          certain = false;
          break;
        case 'jump':
        case 'goto':
          if (follow(action.chain, certain && matches, depth + 1)) return true;
          if (action.kind === 'jump') break;
          // From there it does not come back.
          if (matches) return false;
          certain = false;
          break;
        case 'mark':
          mark = matches && certain ? action.mark(mark) : eitherMark(mark, action.mark(mark));
          break;
        case 'pass':
          break;
      }
    }
    return false;
  }

  if (!follow(first, true, 1)) ends.push({ outcome: policy, rule: null });
  const last = ends.at(-1);
  const other = ends.find(({ outcome }) => outcome !== last?.outcome);
  if (last === undefined || other !== undefined) return { outcome: 'unclear', rule: other?.rule ?? null, mark };
  return { ...last, mark };
}
