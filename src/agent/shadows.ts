import type { Neighbours } from '../dataplane/neighbours.ts';
import { takeTurns } from '../dataplane/turns.ts';
import { createShadowing, type Shadowing } from '../interchange/shadowing.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Rule } from '../program/rule.ts';
import type { AgentLog } from './agent-log.ts';
import type { Place } from './place.ts';

type Warnings = Readonly<Record<ForwardId, readonly string[]>>;

/** Compares forwards with the rules that others have beside them: behind everything else, one place at a time. */
export interface Shadows {
  /** Nothing is read before. */
  begin(): void;
  /** Its program may be another now. */
  passed(place: Place): void;
  /** Others have changed rules there. */
  changed(place: Place): void;
  forget(place: Place): void;
  /** By forward, of those that have some; as of the last comparison. */
  warnings(place: Place): Warnings;
  /** Reads again what may have changed without an event; resolves when it is compared. */
  look(places: readonly Place[]): Promise<void>;
  stop(): Promise<void>;
}

export interface ShadowsOptions {
  readonly neighbours: Neighbours;
  readonly onChange: (place: Place) => void;
  readonly log: AgentLog;
}

interface Entry {
  readonly place: Place;
  /** What was read last; `null`: nothing yet. */
  shadowing: Shadowing | null;
  isStale: boolean;
  readAt: number;
  comparedAt: number;
  /** Of rules that were compared with that. */
  known: WeakMap<Rule, readonly string[]>;
  warnings: Warnings;
  timer: NodeJS.Timeout | undefined;
  comparing: Promise<void> | null;
}

/** In ms. A start is first finished, and others' rules are not read more often than this, whatever happens to them. */
const [FIRST_PAUSE, READ_PAUSE, COMPARE_PAUSE] = [1_000, 5_000, 1_000];
/** A status has room for so many forwards with warnings: where one rule shadows all of them, these tell it. */
const MOST_WARNED = 1_000;
const NONE: Warnings = Object.freeze({});

export function createShadows({ neighbours, onChange, log }: ShadowsOptions): Shadows {
  const entries = new Map<Place, Entry>();
  const queue = new Set<Entry>();
  let begun = false;
  let stopped = false;
  let running: Promise<void> | null = null;
  let firstTimer: NodeJS.Timeout | undefined;
  return { begin, passed, changed, forget, warnings, look, stop };

  function begin(): void {
    firstTimer = setTimeout(() => {
      begun = true;
      work();
    }, FIRST_PAUSE);
  }

  function entryOf(place: Place): Entry {
    const entry = entries.get(place) ?? {
      place,
      shadowing: null,
      isStale: true,
      readAt: Number.NEGATIVE_INFINITY,
      comparedAt: Number.NEGATIVE_INFINITY,
      known: new WeakMap(),
      warnings: NONE,
      timer: undefined,
      comparing: null,
    };
    entries.set(place, entry);
    return entry;
  }

  /** Whether it was not forgotten meanwhile. */
  function isKnown(entry: Entry): boolean {
    return entries.get(entry.place) === entry;
  }

  function passed(place: Place): void {
    const entry = entryOf(place);
    const hasNothing = place.applied.program.size === 0 && entry.warnings === NONE;
    if (!hasNothing) enqueue(entry);
  }

  function changed(place: Place): void {
    const entry = entryOf(place);
    entry.isStale = true;
    if (place.applied.program.size > 0) enqueue(entry);
  }

  /** When its pause is over. */
  function enqueue(entry: Entry): void {
    if (stopped || entry.timer !== undefined) return;
    if (!begun) {
      queue.add(entry);
      return;
    }
    const read = entry.isStale ? entry.readAt + READ_PAUSE : 0;
    const wait = Math.max(entry.comparedAt + COMPARE_PAUSE, read) - performance.now();
    entry.timer = setTimeout(
      () => {
        entry.timer = undefined;
        if (isKnown(entry)) queue.add(entry);
        work();
      },
      Math.max(wait, 0),
    );
  }

  function work(): void {
    if (!begun || stopped || running !== null) return;
    running = workThrough().finally(() => {
      running = null;
      if (queue.size > 0) work();
    });
  }

  async function workThrough(): Promise<void> {
    for (const entry of queue) {
      queue.delete(entry);
      if (stopped) return;
      // One that is under way may have begun before there was what is to be compared now.
      await entry.comparing;
      if (stopped || !isKnown(entry)) continue;
      await compare(entry);
    }
  }

  function compare(entry: Entry): Promise<void> {
    entry.comparing ??= compareNow(entry)
      .catch((error: unknown) => {
        // Where the place is gone, that is told in another way.
        if (stopped || !isKnown(entry)) return;
        log.warn(
          { instance: entry.place.instance.id, err: error },
          'could not compare forwards with the rules of others',
        );
      })
      .finally(() => {
        entry.comparing = null;
      });
    return entry.comparing;
  }

  async function compareNow(entry: Entry): Promise<void> {
    const found = entry.place.applied.program.size === 0 ? NONE : await judge(entry, await shadowingFor(entry));
    entry.comparedAt = performance.now();
    if (JSON.stringify(found) === JSON.stringify(entry.warnings)) return;
    entry.warnings = found;
    if (isKnown(entry)) onChange(entry.place);
  }

  async function shadowingFor(entry: Entry): Promise<Shadowing> {
    if (entry.shadowing !== null && !entry.isStale) return entry.shadowing;
    const { id } = entry.place.instance;
    // What changes from here on is told anew.
    entry.isStale = false;
    entry.readAt = performance.now();
    const texts = await neighbours.read(id).catch((error: unknown) => {
      entry.isStale = true;
      throw error;
    });
    if (texts.unread.length > 0) log.warn({ instance: id, unread: texts.unread }, 'could not read all rules of others');
    entry.shadowing = createShadowing(texts, neighbours.priority);
    entry.known = new WeakMap();
    return entry.shadowing;
  }

  async function judge({ place, known }: Entry, shadowing: Shadowing): Promise<Warnings> {
    if (shadowing.isEmpty) return NONE;
    const found: Record<ForwardId, readonly string[]> = {};
    let count = 0;
    // As they are now: between two turns, a pass may change them.
    const rules = Array.from(place.applied.program.values());
    const turn = takeTurns();
    for (const rule of rules) {
      await turn();
      const texts = known.get(rule) ?? shadowing.warningsFor(rule);
      known.set(rule, texts);
      if (texts.length > 0 && count++ < MOST_WARNED) found[rule.forward] = texts;
    }
    return count === 0 ? NONE : found;
  }

  function forget(place: Place): void {
    const entry = entries.get(place);
    entries.delete(place);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    queue.delete(entry);
  }

  function warnings(place: Place): Warnings {
    return entries.get(place)?.warnings ?? NONE;
  }

  async function look(places: readonly Place[]): Promise<void> {
    // Before anything is waited for: a place that is forgotten while others are read must not come back.
    for (const entry of places.map(entryOf)) {
      if (entry.place.applied.program.size === 0) continue;
      const wasComparing = entry.comparing !== null;
      await entry.comparing;
      if (stopped || !isKnown(entry)) continue;
      await lookAt(entry, wasComparing);
    }
  }

  async function lookAt(entry: Entry, wasComparing: boolean): Promise<void> {
    const isRecent = performance.now() - entry.readAt < READ_PAUSE;
    if (entry.shadowing !== null && !isRecent) {
      entry.isStale ||= await neighbours.changesInSilence(entry.place.instance.id);
    }
    if (entry.shadowing === null || (entry.isStale && !isRecent) || wasComparing) await compare(entry);
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(firstTimer);
    for (const entry of entries.values()) clearTimeout(entry.timer);
    await running;
  }
}
