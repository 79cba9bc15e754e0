import { randomUUID } from 'node:crypto';
import { hatobaError } from '../../model/errors.ts';
import type { Forward, ForwardSpec } from '../../model/forward.ts';
import type { ForwardDraft } from '../../model/forward-draft.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { Gateways, RouterId } from '../../model/router.ts';
import { printTime } from '../../model/time.ts';
import type { Commit, Store } from '../../store/store.ts';
import type { Feed } from '../feed.ts';
import { drainKey, forwardKey } from '../keys.ts';
import type { BatchOutcome, ForwardBatch, Forwards, KeyedRequest } from '../registry.ts';
import { readCreated, readOutcome, writeOutcome } from '../requests/request-record.ts';
import type { Requests } from '../requests/requests.ts';
import type { SerialQueue } from '../serial-queue.ts';
import type { Scope } from '../tenants/scope.ts';
import { type Conflicts, choosePorts } from './auto-ports.ts';
import { writeDrain } from './drain-record.ts';
import { refusePast } from './expiry.ts';
import { decideBatch } from './forward-batch.ts';
import { forwardCommit } from './forward-commit.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import { conflictError, samePlace, sameSpec } from './forward-place.ts';
import { createForwardReader, type StoredForward, writeForward } from './forward-record.ts';
import { batchOfNew, specsOf } from './new-forwards.ts';
import { withTeardowns } from './teardown-commit.ts';

/** How often a change is decided again because somebody else's came first. */
const MOST_ATTEMPTS = 20;

export interface ForwardsParts {
  readonly store: Store;
  readonly feed: Feed;
  readonly mirror: ForwardMirror;
  /** Changes made here do not race with each other, only with those of other processes. */
  readonly queue: SerialQueue;
  readonly requests: Requests;
  /** The router's gateway addresses, as far as they are known. */
  readonly gatewaysOf: (router: RouterId) => Gateways;
  /** Whether any node has the router. */
  readonly isAnywhere: (router: RouterId) => boolean;
  /** For whom changes are decided. */
  readonly scope: Scope;
}

interface Decision<Result> {
  readonly commit: Commit;
  readonly result: (revision: number) => Result;
}

export function createForwards(parts: ForwardsParts): Forwards {
  const { store, feed, mirror, queue, requests, gatewaysOf, isAnywhere, scope } = parts;
  const { index } = mirror;
  const { view } = scope;
  const read = createForwardReader();

  /**
   * Decides on the index and commits; does so again, with what has come in meanwhile, where the index was not
   * what the store had. Ends when the index has the commit, too. Error: `store_contended`.
   */
  function settle<Result>(about: string, decide: () => Decision<Result>): Promise<Result> {
    return queue.run(async () => {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        feed.refuseEnded();
        const { commit, result } = decide();
        const outcome = await store.commit(commit);
        if (outcome.committed) {
          await feed.reached(outcome.revision);
          return result(outcome.revision);
        }
        const { revision } = await store.read(outcome.failed.key);
        await feed.reached(revision);
      }
      throw hatobaError('store_contended', { value: about });
    });
  }

  function replacement(before: Forward | null, after: StoredForward): Decision<Forward> {
    const key = forwardKey(after.spec.router, after.id);
    return {
      commit: commitOf(before, after),
      result: (revision) => read(key, writeForward(after), revision),
    };
  }

  function commitOf(before: Forward | null, after: StoredForward | null): Commit {
    return withTeardowns(forwardCommit(mirror, before, after), [{ before, after }], mirror.teardowns, isAnywhere);
  }

  function present(id: ForwardId, expected: number | undefined): Forward {
    const forward = view.get(id);
    if (forward === undefined) throw hatobaError('forward_not_found', { value: id });
    const { revision: actual } = forward;
    if (expected !== undefined && expected !== actual) {
      throw hatobaError('revision_mismatch', { value: id, actual, expected });
    }
    return forward;
  }

  function specOf(wish: ForwardDraft, before: Forward | null, known: Conflicts = index): ForwardSpec {
    const draft = { ...wish, projectId: scope.projectOf(wish) };
    scope.admit(draft, before);
    return choosePorts(draft, scope.autoPorts(draft.router), known, gatewaysOf(draft.router));
  }

  function newSpecOf(wish: ForwardDraft, now: string, known: Conflicts = index): ForwardSpec {
    const spec = specOf(wish, null, known);
    refusePast(spec, null, now);
    return spec;
  }

  function settleBatch(decideOn: () => ForwardBatch, size: number, request?: KeyedRequest): Promise<BatchOutcome> {
    return settle(`of ${size} forwards`, () => {
      requests.refuseRepeated(request);
      const { commit, result } = decideBatch({ mirror, scope, gatewaysOf, isAnywhere }, decideOn());
      return { commit: requests.remember(commit, request, () => writeOutcome(result(0))), result };
    });
  }

  function refuseTaken(spec: ForwardSpec, before: Forward | null): void {
    const namesake = index.namesake(spec);
    if (namesake !== undefined && namesake.id !== before?.id) {
      throw hatobaError('name_taken', { value: namesake.name ?? '' }, { field: 'name' });
    }
    // Two may have come into conflict by a gateway that changed; each can still be changed in all other respects.
    if (before !== null && samePlace(before, spec)) return;
    const gateways = gatewaysOf(spec.router);
    const other = index.conflictOf(spec, gateways, before?.id ?? null);
    if (other !== undefined) throw conflictError(spec, scope.nameOf(other), gateways);
  }

  return {
    revision: () => feed.revision(),
    get: (id) => view.get(id),
    find: (reference) => view.find(reference),
    list: () => view.list(),
    ofRouter: (router) => view.ofRouter(router),
    isTakenUnseen: (spec) =>
      index.conflictsOf(spec, gatewaysOf(spec.router)).some(({ id }) => view.get(id) === undefined),
    near: (spec) =>
      [...index.leadingTo(spec), ...index.conflictsOf(spec, gatewaysOf(spec.router))].filter(
        ({ id }) => view.get(id) !== undefined,
      ),
    draining: (router) => mirror.drains.ofRouter(router),
    isKnown: (id) => index.get(id) !== undefined || mirror.removals.has(id),
    retiredSince: (router, revision) => mirror.teardowns.retiredSince(router, revision),
    subscribe: (listener) => mirror.subscribe(listener),

    create: (draft, request) =>
      settle(draft.router, () => {
        requests.refuseRepeated(request);
        const now = printTime(Date.now());
        const spec = newSpecOf(draft, now);
        refuseTaken(spec, null);
        const created = { id: randomUUID(), spec, createdAt: now, updatedAt: now };
        const { commit, result } = replacement(null, created);
        return { commit: requests.remember(scope.ration(commit, 1), request, () => writeForward(created)), result };
      }),

    createAll: (drafts, request) =>
      settleBatch(
        () => {
          const now = printTime(Date.now());
          return batchOfNew(specsOf(drafts, index, (draft, known) => newSpecOf(draft, now, known)));
        },
        drafts.length,
        request,
      ),

    createdBy: (request) => requests.recall(request, readCreated),

    update: (id, change, expected) =>
      settle(id, () => {
        const before = present(id, expected);
        const spec = specOf(change(before), before);
        if (sameSpec(before, spec)) return { commit: {}, result: () => before };
        const now = printTime(Date.now());
        refusePast(spec, before, now);
        refuseTaken(spec, before);
        return replacement(before, { id, spec, createdAt: before.createdAt, updatedAt: now });
      }),

    remove: (id, expected, { drain = false } = {}) =>
      settle(id, () => {
        const before = present(id, expected);
        const commit = commitOf(before, null);
        const drains = drain && isAnywhere(before.router);
        return { commit: drains ? withDrain(commit, before) : commit, result: (revision) => revision };
      }),

    apply: (batch, request) => settleBatch(() => batch, batch.wanted.length, request),

    appliedBy: (request) => requests.recall(request, readOutcome),
  };
}

/** In one with the removal, so that whoever learns of it, at any time, knows what is to become of the flows. */
function withDrain({ puts = [], ...commit }: Commit, { router, id }: Forward): Commit {
  return { ...commit, puts: [...puts, { key: drainKey(router, id), value: writeDrain({ router, id }) }] };
}
