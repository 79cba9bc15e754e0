import type { Address } from '../model/address.ts';
import { DEFAULT_AUTO_PORTS } from '../model/forward-draft.ts';
import type { PortRange } from '../model/port-range.ts';
import type { RouterId } from '../model/router.ts';
import type { Store } from '../store/store.ts';
import { createChangeJournal } from './change-journal.ts';
import { followChanges } from './changes.ts';
import { startFeed } from './feed.ts';
import { createForwardMirror } from './forwards/forward-mirror.ts';
import { createForwards } from './forwards/forwards.ts';
import { createListingMirror } from './listing-mirror.ts';
import type { Forwards, Registry } from './registry.ts';
import { createRequestMirror } from './requests/request-mirror.ts';
import { createRequests } from './requests/requests.ts';
import { createSerialQueue } from './serial-queue.ts';
import { createStatusMirror } from './statuses/status-mirror.ts';
import { createStatuses, knownGateways } from './statuses/statuses.ts';
import { type Scope, tenantScope, unlimitedScope } from './tenants/scope.ts';
import { createTenantRegistry } from './tenants/tenant-registry.ts';
import { createTokenMirror } from './tokens/token-mirror.ts';
import { createTokens, type Tokens } from './tokens/tokens.ts';

/** What the store has, as a whole. */
export interface OpenRegistry extends Registry {
  /** Not part of what a project's registry has: they belong to whoever runs this. */
  readonly tokens: Tokens;
}

export interface RegistryOptions {
  /**
   * Hears what no caller can be told: what a listener threw, or why the registry no longer follows the store
   * (then it refuses every change). Default: it is thrown where nobody catches it, which ends the process.
   */
  readonly onError?: (error: unknown) => void;
  /** Where external ports are chosen from. Default: `DEFAULT_AUTO_PORTS`. */
  readonly autoPorts?: PortRange;
  /** How many of the newest revisions can be followed from; at least. Default: ten thousand. */
  readonly keptRevisions?: number;
}

/**
 * Resolves when everything in the store is indexed; follows the store until stopped.
 * Errors: `store_…`; `store_unreadable` names the key of a record that cannot be read.
 */
export async function openRegistry(store: Store, options: RegistryOptions = {}): Promise<OpenRegistry> {
  const { onError = throwUncaught, autoPorts = DEFAULT_AUTO_PORTS, keptRevisions } = options;
  const forwardMirror = createForwardMirror(onError);
  const statusMirror = createStatusMirror(onError);
  const tokenMirror = createTokenMirror();
  const listingMirror = createListingMirror((router) => statusMirror.of(router));
  const requestMirror = createRequestMirror();
  const journal = createChangeJournal(
    store,
    (id) => forwardMirror.index.get(id),
    keptRevisions === undefined ? {} : { keptRevisions },
  );
  const mirrors = [journal, forwardMirror, statusMirror, tokenMirror, requestMirror, listingMirror];
  const feed = await startFeed(store, mirrors, onError);
  const requests = createRequests(store, requestMirror);
  const queues = [createSerialQueue(), createSerialQueue(), createSerialQueue()] as const;

  const isGateway = (router: RouterId, { family, text }: Address) =>
    statusMirror.of(router).some(({ gateways }) => gateways[family]?.text === text);

  const { drains, teardowns } = forwardMirror;
  const forwardsWithin = (scope: Scope): Forwards =>
    createForwards({
      store,
      feed,
      mirror: forwardMirror,
      queue: queues[0],
      requests,
      gatewaysOf: (router) => knownGateways(statusMirror.of(router)),
      isAnywhere: (router) => statusMirror.of(router).length > 0,
      scope,
    });

  const registry: OpenRegistry = {
    forwards: forwardsWithin(unlimitedScope(forwardMirror, autoPorts)),
    statuses: createStatuses({ store, feed, mirror: statusMirror, drains, teardowns, queue: queues[1] }),
    tokens: createTokens({ store, feed, mirror: tokenMirror, queue: queues[2] }),

    listingRevision: () => listingMirror.revision(),

    changes: (after, signal) => followChanges(journal, registry, after, signal),

    within: (tenant) => {
      const forwards = forwardsWithin(tenantScope(forwardMirror, tenant, { autoPorts, isGateway }));
      return createTenantRegistry({ whole: registry, forwards, departures: forwardMirror.departures, journal }, tenant);
    },

    async stop() {
      // Changes that were asked for before are still made.
      await Promise.all(queues.map((queue) => queue.run(async () => undefined)));
      journal.close();
      await feed.stop();
    },
  };
  return registry;
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
