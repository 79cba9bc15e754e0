import type { Kernel } from '../../../kernel/kernel.ts';
import type { Rule } from '../../../program/rule.ts';
import { readTables } from '../firewall/iptables-filter.ts';
import { readForeignRules } from '../foreign-rules.ts';
import { openingScript } from './rules.ts';

/** Keeps iptables' chain FORWARD open for forwards, in the namespaces where the operator allows it. */
export interface Opening {
  /** Makes it accept what these rules translate and its policy would drop; `null`: takes everything of ours out. */
  bring(namespace: string, rules: readonly Rule[] | null): Promise<void>;
  /** Does the same as the last time, since others may have undone it. */
  repeat(namespace: string): void;
  forget(namespace: string): void;
}

export interface OpeningOptions {
  readonly kernel: Pick<Kernel, 'othersTables' | 'run'>;
  readonly onWarning: (message: string, details: Readonly<Record<string, unknown>>) => void;
}

/** One namespace; what is done there is done one after the other. */
interface Place {
  rules: readonly Rule[] | null;
  work: Promise<void>;
  /** Whether something is to begin that will see what is wanted now. */
  waiting: boolean;
  /** Runs until it is done again. */
  repeating: NodeJS.Timeout | undefined;
}

/** In ms: who fights us over the chain is not answered at once each time. */
const REPEAT_PAUSE = 250;

export function createOpening({ kernel, onWarning }: OpeningOptions): Opening {
  const places = new Map<string, Place>();
  return { bring, repeat, forget };

  function bring(namespace: string, rules: readonly Rule[] | null): Promise<void> {
    const place = places.get(namespace) ?? { rules, work: Promise.resolve(), waiting: false, repeating: undefined };
    places.set(namespace, place);
    place.rules = rules;
    return enqueue(namespace, place);
  }

  function forget(namespace: string): void {
    clearTimeout(places.get(namespace)?.repeating);
    places.delete(namespace);
  }

  function repeat(namespace: string): void {
    const place = places.get(namespace);
    if (place === undefined || place.repeating !== undefined) return;
    place.repeating = setTimeout(() => {
      place.repeating = undefined;
      if (places.get(namespace) === place) void enqueue(namespace, place);
    }, REPEAT_PAUSE);
  }

  function enqueue(namespace: string, place: Place): Promise<void> {
    if (!place.waiting) {
      place.waiting = true;
      place.work = place.work.then(() => {
        place.waiting = false;
        return places.get(namespace) === place ? work(namespace, place) : undefined;
      });
    }
    return place.work;
  }

  /** The forwards themselves do not depend on it. */
  async function work(namespace: string, place: Place): Promise<void> {
    const { rules } = place;
    try {
      for (const { program, family, text } of (await readForeignRules(kernel, namespace, { withNft: false })).dumps) {
        const filter = readTables(text, family).find(({ name }) => name === 'filter');
        const script = filter === undefined ? null : openingScript(filter, rules, family);
        // The name may lead to another namespace by now, which has a place of its own.
        if (places.get(namespace) !== place) return;
        if (script !== null) await restore(namespace, program, script);
      }
    } catch (error) {
      onWarning('could not look after the FORWARD policy', { namespace, error });
    }
  }

  async function restore(namespace: string, program: string, script: string): Promise<void> {
    const { exitCode, stderr } = await kernel.run(namespace, [`${program}-restore`, '--noflush', '--wait'], script);
    if (exitCode === 0) return;
    const reason = stderr.trim() || `it ended with ${exitCode}`;
    onWarning('could not open the FORWARD policy', { namespace, program: `${program}-restore`, reason });
  }
}
