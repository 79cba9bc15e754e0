/** Something that happened and is counted. */
export type Observation =
  /** A router was brought to what is wanted, or that failed; `seconds`: how long it took. */
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'failure' }
  /** So many things that others had changed in the kernel were put right. */
  | { readonly kind: 'repair'; readonly corrections: number }
  /** A commit to the store. */
  | { readonly kind: 'commit'; readonly seconds: number; readonly failed: boolean };

export interface Observations {
  note(observation: Observation): void;
  /** Tells what was noted until now, then what follows; once. */
  follow(listener: (observation: Observation) => void): void;
}

/** Nobody may ever follow. */
const MOST_KEPT = 10_000;

/** What happens before there is somebody to count it is kept: the daemon's start is what one wants to know about. */
export function createObservations(): Observations {
  const kept: Observation[] = [];
  let tell = (observation: Observation): void => {
    if (kept.length < MOST_KEPT) kept.push(observation);
  };
  return {
    note: (observation) => tell(observation),
    follow(listener) {
      tell = listener;
      for (const observation of kept.splice(0)) listener(observation);
    },
  };
}
