import type { Forward } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import type { RouterId } from '../model/router.ts';
import type { RouterStatus } from '../model/status.ts';
import type { ChangedItem, ChangeJournal, JournalPiece } from './change-journal.ts';
import type { Registry, RegistryChange } from './registry.ts';

/** What a reader of changes sees. */
export interface ChangeView {
  /** Whether the reader is told of the item. */
  isSeen(item: ChangedItem): boolean;
  /** Whether the router exists for the reader. */
  isThere(router: RouterId): boolean;
  /** As it is now; `undefined`: it does not exist for the reader. */
  forward(id: ForwardId): Forward | undefined;
  statuses(router: RouterId): readonly RouterStatus[];
}

/** What of the pieces the reader sees, with the values that the items have when they are read. */
export async function* readChanges(
  pieces: AsyncIterable<JournalPiece>,
  view: ChangeView,
): AsyncGenerator<RegistryChange, void> {
  // Which part is the last that the reader sees is known at the end of the revision.
  let held: Omit<RegistryChange, 'isLast'> | null = null;
  for await (const piece of pieces) {
    const change = readChange(piece, view);
    if (change !== null && held !== null) yield { ...held, isLast: false };
    held = change ?? held;
    if (!piece.isLast || held === null) continue;
    yield { ...held, isLast: true };
    held = null;
  }
}

function readChange({ revision, part, items }: JournalPiece, view: ChangeView): Omit<RegistryChange, 'isLast'> | null {
  const seen = items.filter((item) => view.isSeen(item));
  if (seen.length === 0) return null;
  return {
    revision,
    part,
    forwards: seen.flatMap((item) => {
      if (item.kind !== 'forward') return [];
      const { router, id } = item;
      const forward = view.forward(id);
      return [{ router, id, forward: forward?.router === router ? forward : null }];
    }),
    statuses: seen.flatMap((item) => {
      if (item.kind !== 'status') return [];
      const { router, node } = item;
      return [{ router, node, status: view.statuses(router).find((status) => status.node === node) ?? null }];
    }),
    routers: seen.flatMap((item) => (item.kind === 'router' ? [item.router] : [])),
    nodes: seen.flatMap((item) =>
      item.kind === 'node' ? [{ name: item.node, routers: item.routers.filter((router) => view.isThere(router)) }] : [],
    ),
  };
}

/** All changes after a revision. Error: `store_compacted`. */
export function followChanges(
  journal: ChangeJournal,
  { forwards, statuses }: Pick<Registry, 'forwards' | 'statuses'>,
  after: number,
  signal: AbortSignal,
): AsyncIterable<RegistryChange> {
  const view: ChangeView = {
    isSeen: () => true,
    isThere: () => true,
    forward: (id) => forwards.get(id),
    statuses: (router) => statuses.of(router),
  };
  return readChanges(journal.follow(after, signal), view);
}
