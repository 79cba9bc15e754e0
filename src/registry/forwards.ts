import { randomUUID } from 'node:crypto';
import { hatobaError } from '../model/errors.ts';
import { type Forward, type ForwardSpec, GATEWAY, printForwardSpec, refuseUnsupported } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { printPortRange } from '../model/port-range.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { Commit, Store } from '../store/store.ts';
import type { Feed } from './feed.ts';
import { forwardCommit } from './forward-commit.ts';
import type { ForwardMirror } from './forward-mirror.ts';
import { createForwardReader, type StoredForward, writeForward } from './forward-record.ts';
import { forwardKey } from './keys.ts';
import type { Forwards } from './registry.ts';
import type { SerialQueue } from './serial-queue.ts';

/** How often a change is decided again because somebody else's came first. */
const MOST_ATTEMPTS = 20;

export interface ForwardsParts {
  readonly store: Store;
  readonly feed: Feed;
  readonly mirror: ForwardMirror;
  /** Changes made here do not race with each other, only with those of other processes. */
  readonly queue: SerialQueue;
  /** The router's gateway addresses, as far as they are known. */
  readonly gatewaysOf: (router: RouterId) => Gateways;
}

interface Decision<Result> {
  readonly commit: Commit;
  readonly result: (revision: number) => Result;
}

export function createForwards({ store, feed, mirror, queue, gatewaysOf }: ForwardsParts): Forwards {
  const { index } = mirror;
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
      commit: forwardCommit(mirror, before, after),
      result: (revision) => read(key, writeForward(after), revision),
    };
  }

  function present(id: ForwardId, expected: number | undefined): Forward {
    const forward = index.get(id);
    if (forward === undefined) throw hatobaError('forward_not_found', { value: id });
    const { revision: actual } = forward;
    if (expected !== undefined && expected !== actual) {
      throw hatobaError('revision_mismatch', { value: id, actual, expected });
    }
    return forward;
  }

  function refuseTaken(spec: ForwardSpec, before: Forward | null): void {
    const namesake = spec.name === null ? undefined : index.named(spec.name);
    if (namesake !== undefined && namesake.id !== before?.id) {
      throw hatobaError('name_taken', { value: namesake.name ?? '' }, { field: 'name' });
    }
    // Two may have come into conflict by a gateway that changed; each can still be changed in all other respects.
    if (before !== null && samePlace(before, spec)) return;
    const gateways = gatewaysOf(spec.router);
    const other = index.conflictOf(spec, gateways, before?.id ?? null);
    if (other !== undefined) throw conflictError(spec, other, gateways);
  }

  return {
    revision: () => feed.revision(),
    get: (id) => index.get(id),
    find: (reference) => index.find(reference),
    list: () => index.list(),
    ofRouter: (router) => index.ofRouter(router),
    subscribe: (listener) => mirror.subscribe(listener),

    create: (spec) =>
      settle(spec.router, () => {
        refuseUnsupported(spec);
        refuseTaken(spec, null);
        const now = new Date().toISOString();
        return replacement(null, { id: randomUUID(), spec, createdAt: now, updatedAt: now });
      }),

    update: (id, change, expected) =>
      settle(id, () => {
        const before = present(id, expected);
        const spec = change(before);
        if (sameSpec(before, spec)) return { commit: {}, result: () => before };
        refuseUnsupported(spec);
        refuseTaken(spec, before);
        const updatedAt = new Date().toISOString();
        return replacement(before, { id, spec, createdAt: before.createdAt, updatedAt });
      }),

    remove: (id, expected) =>
      settle(id, () => ({
        commit: forwardCommit(mirror, present(id, expected), null),
        result: (revision) => revision,
      })),
  };
}

function sameSpec(a: ForwardSpec, b: ForwardSpec): boolean {
  return JSON.stringify(printForwardSpec(a)) === JSON.stringify(printForwardSpec(b));
}

/** Whether both take the same packets, whatever they do with them. */
function samePlace(a: ForwardSpec, b: ForwardSpec): boolean {
  return a.internalAddress.family === b.internalAddress.family && placeOf(a) === placeOf(b);
}

function placeOf(spec: ForwardSpec): string {
  const { router, protocol, external_address, external_port, sources } = printForwardSpec(spec);
  return [router, protocol, external_address, external_port, ...sources].join(' ');
}

function conflictError(spec: ForwardSpec, other: Forward, gateways: Gateways): Error {
  const { externalAddress, protocol, externalPorts, projectId } = spec;
  const external = externalAddress === GATEWAY ? gateways[spec.internalAddress.family] : externalAddress;
  const isForeign = projectId !== null && other.projectId !== null && projectId !== other.projectId;
  const parameters = {
    protocol,
    port: printPortRange(externalPorts),
    address: external?.text ?? GATEWAY,
    other: isForeign ? 'of another project' : (other.name ?? other.id),
  };
  return hatobaError('forward_conflict', parameters, { field: 'external_port' });
}
