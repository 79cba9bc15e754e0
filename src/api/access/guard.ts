import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, hasRole } from '../../model/caller.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import type { Access } from './access.ts';

/** Tells who asks. Errors: `not_authenticated`, and why that cannot be told. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller>;

/**
 * Refuses who asks too much; `null`: somebody who is not asked who they are, or of whom that cannot be told. Called once for
 * each request, when it is known who asks, or that it is not. Error: `too_many_requests`.
 */
export type Admit = (caller: Caller | null, request: FastifyRequest) => void;

/** Whose requests are whose: a caller is an object of its own for each request. */
export interface Asking {
  /** Also of one that is refused; undefined: that is not known. */
  readonly callerOf: (request: FastifyRequest) => Caller | undefined;
  readonly requestOf: (caller: Caller) => FastifyRequest | undefined;
}

/**
 * Lets every route be used only as its `config.access` says, before anything else of the request is read. A route
 * without it cannot be registered; so this is to be called before the first one is.
 */
export function guardRoutes(api: FastifyInstance, authenticate: Authenticate, admit: Admit = () => undefined): Asking {
  const callers = new WeakMap<FastifyRequest, Caller>();
  const requests = new WeakMap<Caller, FastifyRequest>();
  api.decorateRequest('caller', {
    getter() {
      const caller = callers.get(this);
      if (caller === undefined) throw new Error(`${this.routeOptions.url} does not know who asks`);
      return caller;
    },
  });

  api.decorateRequest('isStillAllowed', function isStillAllowed() {
    return isStill(this.caller, () => authenticate(this));
  });

  api.decorateRequest('recognize', function recognize(reply: FastifyReply) {
    return recognized(this).catch(tellHow(reply));
  });

  api.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`${String(method)} ${url} does not say who may use it`);
  });

  async function identify(request: FastifyRequest): Promise<Caller> {
    const caller = Object.freeze({ ...(await authenticate(request)) });
    callers.set(request, caller);
    requests.set(caller, request);
    return caller;
  }

  /** Who fails to say who they are, in whatever way, may do so as often as anybody may ask. */
  function countAsNobody(request: FastifyRequest): (error: unknown) => never {
    return (error) => {
      admit(null, request);
      throw error;
    };
  }

  async function recognized(request: FastifyRequest): Promise<Caller | null> {
    const caller = await identify(request).catch(unlessUnknown);
    if (caller !== null) admit(caller, request);
    return caller;
  }

  async function callerOf(request: FastifyRequest, access: Access | undefined): Promise<Caller | null> {
    // What is at no route is answered alike to everybody.
    const isOpen = request.is404 || access === 'public';
    const caller = isOpen ? null : await identify(request).catch(countAsNobody(request));
    admit(caller, request);
    return caller;
  }

  api.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config;
    if (access === 'passed-on') return;
    const caller = await callerOf(request, access).catch(tellHow(reply));
    if (caller === null) return;
    if (access === undefined) throw new Error(`${request.routeOptions.url} does not say who may use it`);
    requireAccess(caller, access);
  });

  return { callerOf: (request) => callers.get(request), requestOf: (caller) => requests.get(caller) };
}

function unlessUnknown(error: unknown): null {
  if (error instanceof HatobaError && (error.status === 401 || error.status === 403)) return null;
  throw error;
}

/** Who is refused for not being known is told how to be (RFC 9110 §11.6.1), and who has to wait, for how long. */
function tellHow(reply: FastifyReply): (error: unknown) => never {
  return (error) => {
    if (error instanceof HatobaError && error.status === 401) reply.header('www-authenticate', 'Bearer');
    if (error instanceof HatobaError && error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    throw error;
  };
}

async function isStill(caller: Caller, authenticate: () => Promise<Caller>): Promise<boolean> {
  try {
    return isDeepStrictEqual(await authenticate(), caller);
  } catch (error) {
    if (!(error instanceof HatobaError)) throw error;
    // Who cannot be asked for just now has lost nothing.
    return error.status === 429 || error.status === 503;
  }
}

/** For what only some uses of a route need, too. Errors: `role_missing`, `all_projects_needed`. */
export function requireAccess(caller: Caller, access: Access): void {
  if (typeof access === 'string') return;
  const { role, scope } = access;
  if (!hasRole(caller, role)) {
    throw hatobaError('role_missing', { caller: caller.name, role: caller.role, needed: role });
  }
  if (scope === 'all' && !caller.allProjects) throw hatobaError('all_projects_needed', { caller: caller.name });
}
