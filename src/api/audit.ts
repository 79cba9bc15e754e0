import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../model/caller.ts';
import type { ForwardSpec } from '../model/forward.ts';
import type { RouterId } from '../model/router.ts';
import type { BatchOutcome, Forwards, Registry } from '../registry/registry.ts';
import type { Tokens } from '../registry/tokens/tokens.ts';
import type { Asking } from './access/guard.ts';
import type { LocalNode } from './local-node.ts';
import { routeNameOf } from './route-name.ts';

/** What was changed. */
export interface Change {
  /** Of the store from which on it holds; null: it is none of the store's. */
  readonly revision: number | null;
  /** Of the forwards, or the token. */
  readonly ids: readonly string[];
  /** How many rules of others were taken away. */
  readonly rules?: number;
  /** Of a forward that went with what it was made for. */
  readonly router?: RouterId;
  readonly port?: string;
}

export type Tell = (change: Change) => void;

/** Whatever a caller changes through these is told in the log, as soon as it has happened. */
export interface Audit {
  registry(caller: Caller, registry: Registry): Registry;
  tokens(caller: Caller, tokens: Tokens): Tokens;
  local(caller: Caller, local: LocalNode): LocalNode;
}

/** A line names no more of them; it always says how many there are. */
const MOST_IDS = 100;

/**
 * Writes a line `audit` for every change, and one for every request that is refused for who asks. To be called when the
 * guard's hook is there.
 */
export function auditChanges(api: FastifyInstance, { callerOf, requestOf }: Asking): Audit {
  api.addHook('onResponse', (request, { statusCode }, done) => {
    if (statusCode === 401 || statusCode === 403) {
      request.log.warn({ audit: { ...whoAndWhat(request, callerOf(request)), status: statusCode } }, 'audit: refused');
    }
    done();
  });

  function tellerOf(caller: Caller): Tell {
    const request = requestOf(caller);
    if (request === undefined) throw new Error(`${caller.name} asks without a request`);
    return teller(request.log, whoAndWhat(request, caller));
  }

  return {
    registry: (caller, registry) => ({
      ...registry,
      forwards: auditedForwards(registry.forwards, tellerOf(caller)),
    }),
    tokens: (caller, tokens) => auditedTokens(tokens, tellerOf(caller)),
    local: (caller, local) => auditedLocal(local, tellerOf(caller)),
  };
}

/** For what follows from a request that somebody else answers, who knows who asks. */
export function tellerOfRequest(request: FastifyRequest): Tell {
  return teller(request.log, whoAndWhat(request, undefined));
}

/** For what this program changes by itself. */
export function tellerOfProgram(log: Pick<FastifyBaseLogger, 'info'>, name: string): Tell {
  return teller(log, { caller: name, project: null, from: 'hatoba', operation: name, parameters: {} });
}

function teller(log: Pick<FastifyBaseLogger, 'info'>, who: ReturnType<typeof whoAndWhat>): Tell {
  return ({ ids, ...change }) =>
    log.info({ audit: { ...who, ...change, ids: ids.slice(0, MOST_IDS), count: ids.length } }, 'audit');
}

/** The request's id is in every line of its log. */
function whoAndWhat(request: FastifyRequest, caller: Caller | undefined) {
  const { method, params, ip } = request;
  return {
    caller: caller?.name ?? null,
    project: caller?.project ?? null,
    // On the unix socket there is no address.
    from: ip === undefined || ip === '' ? 'socket' : ip,
    operation: `${method} ${routeNameOf(request) ?? request.url}`,
    parameters: params,
  };
}

function auditedForwards(forwards: Forwards, tell: Tell): Forwards {
  return {
    ...forwards,

    async create(draft, request) {
      const created = await forwards.create(draft, request);
      tell({ revision: created.revision, ids: [created.id] });
      return created;
    },

    async createAll(drafts, request) {
      const outcome = await forwards.createAll(drafts, request);
      tell({ revision: outcome.revision, ids: idsIn(outcome) });
      return outcome;
    },

    async update(id, change, expected) {
      let before: ForwardSpec | undefined;
      const changed = await forwards.update(
        id,
        (spec) => {
          before = spec;
          return change(spec);
        },
        expected,
      );
      // What changes nothing gives back what was there.
      if (changed !== before) tell({ revision: changed.revision, ids: [id] });
      return changed;
    },

    async remove(id, expected, how) {
      const revision = await forwards.remove(id, expected, how);
      tell({ revision, ids: [id] });
      return revision;
    },

    async apply(batch, request) {
      const outcome = await forwards.apply(batch, request);
      const ids = idsIn(outcome);
      if (!batch.dryRun && ids.length > 0) tell({ revision: outcome.revision, ids });
      return outcome;
    },
  };
}

function idsIn({ changes }: BatchOutcome): readonly string[] {
  return changes.flatMap(({ id }) => id ?? []);
}

function auditedTokens(tokens: Tokens, tell: Tell): Tokens {
  return {
    ...tokens,

    async create(spec, createdBy) {
      const issued = await tokens.create(spec, createdBy);
      tell({ revision: issued.revision, ids: [issued.token.id] });
      return issued;
    },

    async revoke(id) {
      const revision = await tokens.revoke(id);
      tell({ revision, ids: [id] });
      return revision;
    },
  };
}

function auditedLocal(local: LocalNode, tell: Tell): LocalNode {
  const { adoption, orphans } = local;
  return {
    ...local,
    adoption: {
      ...adoption,
      async remove(rules) {
        const removals = await adoption.remove(rules);
        const count = removals.filter(({ outcome }) => outcome === 'removed').length;
        if (count > 0) tell({ revision: null, ids: [], rules: count });
        return removals;
      },
    },
    orphans: {
      ...orphans,
      async discard(router) {
        const discarded = await orphans.discard(router);
        if (discarded.length > 0) tell({ revision: null, ids: discarded.map(({ id }) => id) });
        return discarded;
      },
    },
  };
}
