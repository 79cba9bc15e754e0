import { hatobaError } from '../model/errors.ts';
import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import { createBell } from '../store/bell.ts';
import type { Change, Store } from '../store/store.ts';
import type { KeyChange, Mirror } from './feed.ts';
import { FORWARDS, STATUSES, splitKey } from './keys.ts';

/** Something that one revision changed, by key; its value is read when it is needed. */
export type ChangedItem =
  /** `projects`: those it belonged to before or belongs to afterwards. */
  | {
      readonly kind: 'forward';
      readonly router: RouterId;
      readonly id: ForwardId;
      readonly projects: readonly string[];
    }
  | { readonly kind: 'status'; readonly router: RouterId; readonly node: string }
  /** A router with changed forwards, of these projects, or with a changed status. */
  | {
      readonly kind: 'router';
      readonly router: RouterId;
      readonly projects: ReadonlySet<string>;
      readonly hasStatus: boolean;
    }
  /** A node with changed statuses, of these routers. */
  | { readonly kind: 'node'; readonly node: string; readonly routers: readonly RouterId[] };

/** A part of what one revision changed. */
export interface JournalPiece {
  readonly revision: number;
  /** From 0, in each revision. */
  readonly part: number;
  readonly isLast: boolean;
  /** Removed forwards first, then other forwards, statuses, routers and nodes. */
  readonly items: readonly ChangedItem[];
}

/**
 * The keys that the newest revisions changed, once for all readers. A reader holds a position and nothing else, so one
 * that does not read costs nothing.
 */
export interface ChangeJournal extends Mirror {
  /** Since which revision the projects of removed forwards are known. */
  ownersKnownSince(): number;
  /**
   * The pieces after a revision, in order, until `signal` is aborted or the journal is closed. Error `store_compacted`:
   * changes that old are gone.
   */
  follow(after: number, signal: AbortSignal): AsyncGenerator<JournalPiece, void>;
  close(): void;
}

export interface JournalOptions {
  /** How many of the newest revisions are kept; at least. */
  readonly keptRevisions?: number;
  /** How many items are kept. The newest revision is kept whatever its size. */
  readonly mostItems?: number;
}

/** How many items a piece has; a status counts as that many. */
const PIECE = 32;
const KEPT_REVISIONS = 10_000;
const MOST_ITEMS = 200_000;

type ForwardItem = Extract<ChangedItem, { kind: 'forward' }>;
type StatusItem = Extract<ChangedItem, { kind: 'status' }>;

/**
 * To be the first of the mirrors: it looks at forwards before and after a change. What changed before it began is read
 * from the store's log, once, when a reader asks for it.
 */
export function createChangeJournal(
  store: Pick<Store, 'watch'>,
  forwardOf: (id: ForwardId) => Forward | undefined,
  { keptRevisions = KEPT_REVISIONS, mostItems = MOST_ITEMS }: JournalOptions = {},
): ChangeJournal {
  let pieces: JournalPiece[] = [];
  let itemCount = 0;
  /** The revision with which the journal began; `null`: nothing has been applied yet. */
  let first: number | null = null;
  /** All changes after this revision are in `pieces`. */
  let since = 0;
  let newest = 0;
  let loading: Promise<void> = Promise.resolve();
  let isClosed = false;
  const bell = createBell();

  /** Drops the oldest revisions where there are a good deal more than are kept: not with every change, as it copies the rest. */
  function compact(): void {
    if (newest - since < keptRevisions * 1.1 && itemCount <= mostItems * 1.1) return;
    since = Math.max(since, newest - keptRevisions);
    let start = 0;
    for (const { revision, items } of pieces) {
      if (revision > since && (itemCount <= mostItems || revision === newest)) break;
      since = Math.max(since, revision);
      itemCount -= items.length;
      start += 1;
    }
    pieces = pieces.slice(start);
  }

  /** Adds the changes after that revision which came before the journal began. Error: `store_compacted`. */
  async function load(after: number): Promise<void> {
    const end = since;
    if (after >= end) return;
    if (first === null || end > first) throw compacted(after);
    const older: JournalPiece[] = [];
    let count = itemCount;
    for await (const { revision, changes } of store.watch('', after, new AbortController().signal)) {
      if (revision > end) break;
      const items = itemsOf(changes, () => []);
      count += items.length;
      if (count > mostItems) throw compacted(after);
      older.push(...piecesOf(revision, items));
      if (revision === end) break;
    }
    if (since !== end) throw compacted(after);
    pieces = [...older, ...pieces];
    itemCount += older.reduce((sum, { items }) => sum + items.length, 0);
    since = after;
  }

  function nextAfter(revision: number, part: number): JournalPiece | undefined {
    let [from, to] = [0, pieces.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const there = pieces[middle];
      const isBehind = there !== undefined && (there.revision - revision || there.part - part) > 0;
      if (isBehind) to = middle;
      else from = middle + 1;
    }
    return pieces[from];
  }

  return {
    ownersKnownSince: () => first ?? 0,

    apply(changes, revision) {
      const before = first === null ? null : ownersOf(changes);
      return () => {
        newest = revision;
        if (before === null) {
          [first, since] = [revision, revision];
          return;
        }
        const after = ownersOf(changes);
        const items = itemsOf(changes, (id) => [...new Set([...(before.get(id) ?? []), ...(after.get(id) ?? [])])]);
        for (const piece of piecesOf(revision, items)) pieces.push(piece);
        itemCount += items.length;
        compact();
        if (items.length > 0) bell.ring();
      };
    },

    known: () => [],

    async *follow(after, signal) {
      loading = loading.catch(() => undefined).then(() => load(after));
      await loading;
      let [revision, part] = [after, Number.POSITIVE_INFINITY];
      while (!signal.aborted && !isClosed) {
        if (revision < since) throw compacted(revision);
        const next = nextAfter(revision, part);
        if (next === undefined) {
          await bell.wait(signal);
        } else {
          [revision, part] = [next.revision, next.part];
          yield next;
        }
      }
    },

    close() {
      isClosed = true;
      bell.ring();
    },
  };

  function ownersOf(changes: readonly KeyChange[]): ReadonlyMap<ForwardId, readonly string[]> {
    const owners = new Map<ForwardId, readonly string[]>();
    for (const { key } of changes) {
      if (!key.startsWith(FORWARDS)) continue;
      const { rest: id } = splitKey(key);
      const project = forwardOf(id)?.projectId ?? null;
      if (project !== null) owners.set(id, [project]);
    }
    return owners;
  }
}

function compacted(after: number): Error {
  return hatobaError('store_compacted', { value: after });
}

function itemsOf(changes: Change['changes'], projectsOf: (id: ForwardId) => readonly string[]): readonly ChangedItem[] {
  const [removed, put, statuses]: [ForwardItem[], ForwardItem[], StatusItem[]] = [[], [], []];
  for (const { key, value } of changes) {
    const { router, rest } = splitKey(key);
    if (key.startsWith(STATUSES)) {
      statuses.push({ kind: 'status', router, node: rest });
    } else if (key.startsWith(FORWARDS)) {
      const item: ForwardItem = { kind: 'forward', router, id: rest, projects: projectsOf(rest) };
      if (value === null) removed.push(item);
      else put.push(item);
    }
  }
  // A forward that moves to another router is removed from one key and put to another.
  const forwards = [...removed, ...put];
  return [...forwards, ...statuses, ...routersOf(forwards, statuses), ...nodesOf(statuses)];
}

function routersOf(forwards: readonly ForwardItem[], statuses: readonly StatusItem[]): readonly ChangedItem[] {
  const routers = new Map<RouterId, { readonly projects: Set<string>; hasStatus: boolean }>();
  const at = (router: RouterId) => {
    const known = routers.get(router) ?? { projects: new Set<string>(), hasStatus: false };
    routers.set(router, known);
    return known;
  };
  for (const { router, projects } of forwards) for (const project of projects) at(router).projects.add(project);
  for (const { router } of forwards) at(router);
  for (const { router } of statuses) at(router).hasStatus = true;
  return Array.from(routers, ([router, known]) => ({ kind: 'router', router, ...known }));
}

function nodesOf(statuses: readonly StatusItem[]): readonly ChangedItem[] {
  const nodes = Map.groupBy(statuses, ({ node }) => node);
  return Array.from(nodes, ([node, own]) => ({ kind: 'node', node, routers: own.map(({ router }) => router) }));
}

function piecesOf(revision: number, items: readonly ChangedItem[]): readonly JournalPiece[] {
  const parts: ChangedItem[][] = [];
  let left = 0;
  for (const item of items) {
    // A status can be as large as all forwards of its router.
    const weight = item.kind === 'status' ? PIECE : 1;
    if (weight > left) {
      parts.push([]);
      left = PIECE;
    }
    parts.at(-1)?.push(item);
    left -= weight;
  }
  return parts.map((own, part) => ({ revision, part, isLast: part === parts.length - 1, items: own }));
}
