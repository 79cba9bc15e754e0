import { type Bits, eitherBits } from './bits.ts';
import type { Condition, PassingPacket } from './passing-packet.ts';

/** What a statement or target of a rule does. */
export type Action =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'pass' }
  /** Gives the flow another address or port, and ends the packet's way through the chain. */
  | { readonly kind: 'translate' }
  /** Keeps connection tracking, which has not come yet, from attaching a connection. */
  | { readonly kind: 'untrack' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'mark' | 'connection-mark'; readonly value: (packet: PassingPacket) => Bits }
  /** Ends the packet's way, or not. */
  | { readonly kind: 'unclear' };

/** One step of a rule, in the rule's order: where a condition does not hold, the rest of the rule is skipped. */
export type Step =
  | { readonly when: Condition }
  | { readonly do: Action }
  /** A verdict map: what the first one that holds does; where none holds, the rest of the rule is skipped. */
  | { readonly choose: readonly { readonly when: Condition; readonly do: Action }[] };

export interface FilterRule {
  /** As its program prints it. */
  readonly text: string;
  readonly steps: readonly Step[];
}

export type FilterChains = ReadonlyMap<string, readonly FilterRule[]>;

/** `divert`: the flow goes another way than the forward's. */
export type Ending = 'accept' | 'drop' | 'translate' | 'divert' | 'unclear';

export interface Outcome {
  /** `unclear`: several are possible. */
  readonly outcome: Ending;
  /** All that are possible. */
  readonly endings: ReadonlySet<Ending>;
  /** The rule that decides, or the first one on which it depends; `null`: the policy. */
  readonly rule: string | null;
  /** Those of the packet, and of its flow, as it goes on. */
  readonly mark: Bits;
  readonly connectionMark: Bits | null;
}

/** Chains can lead to each other so that the way is exponentially long. */
const LONGEST_WAY = 20_000;
const DEEPEST_CALL = 100;

/** What became of a packet in a rule or a chain: whether it surely ended there, or surely left the chain, or may have. */
type Passed = 'ended' | 'left' | 'perhaps-left' | 'went-on';

interface Marks {
  readonly mark: Bits;
  readonly connectionMark: Bits | null;
}

/**
 * The way of a packet through a chain. What cannot be told is not guessed: where it makes a difference, the outcome is
 * unclear.
 */
export function walk(chains: FilterChains, first: string, policy: 'accept' | 'drop', packet: PassingPacket): Outcome {
  const ends: { readonly ending: Ending; readonly rule: string | null }[] = [];
  let now: Marks = { mark: packet.mark, connectionMark: packet.connection?.mark ?? null };
  /** As they are wherever its way through the chain may end. */
  const exits: Marks[] = [];
  let steps = 0;

  function end(ending: Ending, rule: string | null): void {
    ends.push({ ending, rule });
    exits.push(now);
  }

  /** Whether the packet, if it surely comes to the chain, surely ends there. */
  function follow(chain: string, surely: boolean, depth: number): boolean {
    let certain = surely;
    for (const rule of chains.get(chain) ?? []) {
      if (++steps > LONGEST_WAY || depth > DEEPEST_CALL) {
        end('unclear', rule.text);
        return true;
      }
      const passed = meet(rule, certain, depth);
      if (passed === 'ended') return certain;
      if (passed === 'left') return false;
      if (passed === 'perhaps-left') certain = false;
    }
    return false;
  }

  function meet(rule: FilterRule, certain: boolean, depth: number): Passed {
    let matches = true;
    let result: Passed = 'went-on';
    for (const step of rule.steps) {
      if ('when' in step) {
        const truth = step.when(current());
        if (truth === 'no') return result;
        if (truth === 'maybe') matches = false;
        continue;
      }
      const choices = 'do' in step ? [{ truth: 'yes', action: step.do } as const] : choose(step.choose);
      if (choices.length === 0) return result;
      for (const { truth, action } of choices) {
        const passed = act(action, rule.text, certain, matches && truth === 'yes', depth);
        if (passed === 'ended' || passed === 'left') return passed;
        if (passed === 'perhaps-left') result = passed;
      }
      // Whether one of them was it is not known.
      if (!choices.some(({ truth }) => truth === 'yes')) matches = false;
    }
    return result;
  }

  /** Those that may be it: none behind the first that surely is. */
  function choose(choices: readonly { readonly when: Condition; readonly do: Action }[]) {
    const possible = choices.map((choice) => ({ truth: choice.when(current()), action: choice.do }));
    const sure = possible.findIndex(({ truth }) => truth === 'yes');
    return possible.slice(0, sure < 0 ? undefined : sure + 1).filter(({ truth }) => truth !== 'no');
  }

  function act(action: Action, text: string, certain: boolean, matches: boolean, depth: number): Passed {
    switch (action.kind) {
      case 'accept':
      case 'drop':
      case 'translate':
        end(action.kind, text);
        return matches ? 'ended' : 'went-on';
      case 'untrack':
        if (packet.connection !== null) return 'went-on';
        end('divert', text);
        return matches ? 'ended' : 'went-on';
      case 'unclear':
        end('unclear', text);
        return 'went-on';
      case 'return':
        return matches ? 'left' : 'perhaps-left';
      case 'jump':
      case 'goto':
        if (follow(action.chain, certain && matches, depth + 1)) return 'ended';
        if (action.kind === 'jump') return 'went-on';
        // The packet does not come back from there.
        return matches ? 'left' : 'perhaps-left';
      case 'mark':
      case 'connection-mark':
        setMark(action, certain && matches);
        return 'went-on';
      case 'pass':
        return 'went-on';
    }
  }

  function setMark({ kind, value }: Extract<Action, { value: unknown }>, surely: boolean): void {
    const set = value(current());
    const { mark, connectionMark } = now;
    if (kind === 'mark') now = { ...now, mark: surely ? set : eitherBits(mark, set) };
    else if (connectionMark !== null) {
      now = { ...now, connectionMark: surely ? set : eitherBits(connectionMark, set) };
    }
  }

  function current(): PassingPacket {
    return withMarks(packet, now);
  }

  if (!follow(first, true, 1)) end(policy, null);
  const last = ends.at(-1);
  const other = ends.find(({ ending }) => ending !== last?.ending);
  const isOne = last !== undefined && other === undefined;
  return {
    outcome: isOne ? last.ending : 'unclear',
    endings: new Set(ends.map(({ ending }) => ending)),
    rule: (isOne ? last : other)?.rule ?? null,
    ...exits.reduce(eitherMarks, exits[0] ?? now),
  };
}

/** The packet with other marks; without a connection there is none to be marked. */
export function withMarks(packet: PassingPacket, { mark, connectionMark }: Marks): PassingPacket {
  const { connection } = packet;
  return { ...packet, mark, connection: connection && { ...connection, mark: connectionMark ?? connection.mark } };
}

export function eitherMarks(a: Marks, b: Marks): Marks {
  const [one, other] = [a.connectionMark, b.connectionMark];
  return {
    mark: eitherBits(a.mark, b.mark),
    connectionMark: one === null || other === null ? (one ?? other) : eitherBits(one, other),
  };
}
