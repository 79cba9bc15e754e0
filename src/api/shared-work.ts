export interface SharedWork<Answer> {
  /**
   * What `work` gives that begins after this was asked: everybody who asks with the same key before it begins has the same
   * answer, so there is at most one under way of each key and one that waits. `null`: it never began, since all who
   * asked had gone (`signal`).
   */
  ask(key: string, work: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer | null>;
}

interface Turn<Answer> {
  readonly answer: Promise<Answer | null>;
  readonly signals: (AbortSignal | undefined)[];
}

/** `atOnce`: so many are under way at a time, of all keys; the others begin in the order in which they were asked for. */
export function shareWork<Answer>(atOnce: number): SharedWork<Answer> {
  const coming = new Map<string, Turn<Answer>>();
  const running = new Map<string, Promise<Answer>>();
  const queue: (() => void)[] = [];
  let busy = 0;

  async function inSlot<Result>(work: () => Promise<Result>): Promise<Result> {
    if (busy >= atOnce) await new Promise<void>((resolve) => queue.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      // Whoever comes next has the place of this one.
      const next = queue.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  }

  async function begin(key: string, work: () => Promise<Answer>): Promise<Answer | null> {
    const turn = coming.get(key);
    coming.delete(key);
    if (turn?.signals.every((signal) => signal?.aborted === true)) return null;
    const answer = work();
    running.set(key, answer);
    return answer.finally(() => running.delete(key));
  }

  return {
    ask(key, work, signal) {
      const joined = coming.get(key);
      if (joined !== undefined) {
        joined.signals.push(signal);
        return joined.answer;
      }
      const before = running.get(key)?.catch(() => undefined) ?? Promise.resolve();
      const answer = before.then(() => inSlot(() => begin(key, work)));
      coming.set(key, { answer, signals: [signal] });
      return answer;
    },
  };
}
