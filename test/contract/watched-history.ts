import { expect } from 'vitest';
import type { Change, Entry, Snapshot } from '../../src/store/store.ts';

/** What a store held at each of the revisions from the first snapshot to the last. */
export interface History {
  /** The snapshot that follows the last one; the same again counts once. */
  add(snapshot: Snapshot): void;
  /** Expects that these are what a watch may tell that began in this history and has come to its end. */
  expectFollowed(changes: readonly Change[], watch: { readonly prefix: string; readonly after: number }): void;
}

type State = ReadonlyMap<string, Entry>;

export function createHistory(first: Snapshot): History {
  const states = new Map<number, State>([[first.revision, stateOf(first)]]);
  /** The revision that last put or deleted a key of this history. */
  const touched = new Map<string, number>();
  let last = first.revision;

  function at(revision: number): State {
    const state = states.get(revision);
    if (state === undefined) throw new Error(`revision ${revision} is not in this history`);
    return state;
  }

  /** All that is told is what the commit of that revision did. */
  function expectDone({ revision, changes }: Change): void {
    const [before, now] = [at(revision - 1), at(revision)];
    for (const { key, value } of changes) {
      const done = value === null ? undefined : { key, value, revision };
      expect(now.get(key), `${key} at ${revision}`).toEqual(done);
      expect(before.get(key), `${key} before ${revision}`).not.toEqual(done);
    }
  }

  /** Whatever is not as it was then has to be what a change still to come will replace. */
  function expectCurrent(held: State, prefix: string, revision: number): void {
    const now = under(at(revision), prefix);
    for (const key of new Set([...held.keys(), ...now.keys()])) {
      if (held.get(key)?.revision === now.get(key)?.revision) continue;
      expect(touched.get(key), `${key} is out of date at ${revision}`).toBeGreaterThan(revision);
    }
  }

  return {
    add(snapshot) {
      if (snapshot.revision === last) return;
      expect(snapshot.revision).toBe(last + 1);
      const [before, now] = [at(last), stateOf(snapshot)];
      last = snapshot.revision;
      states.set(last, now);
      for (const [key, { revision }] of now) if (revision === last) touched.set(key, last);
      for (const key of before.keys()) if (!now.has(key)) touched.set(key, last);
    },

    expectFollowed(changes, { prefix, after }) {
      const held = new Map(under(at(after), prefix));
      const revisions = [after, ...changes.map(({ revision }) => revision)];
      expect(revisions).toEqual(Array.from(new Set(revisions)).sort((a, b) => a - b));
      for (const change of changes) {
        const keys = change.changes.map(({ key }) => key);
        expect(keys.length).toBeGreaterThan(0);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.filter((key) => !key.startsWith(prefix))).toEqual([]);
        expectDone(change);
        applyTo(held, change);
        expectCurrent(held, prefix, change.revision);
      }
      expect(held).toEqual(under(at(last), prefix));
    },
  };
}

function applyTo(held: Map<string, Entry>, { revision, changes }: Change): void {
  for (const { key, value } of changes) {
    if (value === null) held.delete(key);
    else held.set(key, { key, value, revision });
  }
}

function stateOf({ entries }: Snapshot): State {
  return new Map(entries.map((entry) => [entry.key, entry]));
}

function under(state: State, prefix: string): State {
  return new Map(Array.from(state).filter(([key]) => key.startsWith(prefix)));
}
