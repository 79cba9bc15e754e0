/** The streams of events that are open, and how far their clients are behind. */
export interface EventStreams {
  open(): EventStream;
  /** As of now; `revision`: the newest that there is to tell of. */
  lag(revision: number): EventLag;
}

/** One of them. */
export interface EventStream {
  /** Its client has not taken yet what changes from that revision on. */
  tells(revision: number): void;
  /** Its client has taken everything there is. */
  waits(): void;
  close(): void;
}

/** Of all streams together. */
export interface EventLag {
  readonly streams: number;
  /** How many revisions the one that is furthest behind has yet to take; 0: all have taken everything. */
  readonly revisions: number;
  /** How long the one that takes longest has not taken what is there for it. */
  readonly seconds: number;
}

interface Telling {
  readonly revision: number;
  /** In ms, by the clock that nobody sets. */
  readonly since: number;
}

export function createEventStreams(): EventStreams {
  /** What each has been given last and not taken yet, if there is something. */
  const streams = new Map<EventStream, Telling | null>();

  return {
    open() {
      const stream: EventStream = {
        tells: (revision) => streams.set(stream, { revision, since: performance.now() }),
        waits: () => streams.set(stream, null),
        close: () => streams.delete(stream),
      };
      stream.waits();
      return stream;
    },

    lag(revision) {
      const behind = [...streams.values()].filter((telling) => telling !== null);
      const now = performance.now();
      return {
        streams: streams.size,
        revisions: behind.reduce((most, told) => Math.max(most, revision - told.revision + 1), 0),
        seconds: behind.reduce((most, { since }) => Math.max(most, (now - since) / 1000), 0),
      };
    },
  };
}
