import type { FastifyReply } from 'fastify';
import type { Caller, Role } from '../../model/caller.ts';

/**
 * Who may use a route: anybody who can connect at all, or callers of at least that role; with the scope `all`, only
 * those who see the things of every project. `passed-on`: somebody else decides, who is asked, and how much is too much.
 */
export type Access = 'public' | 'passed-on' | { readonly role: Role; readonly scope: 'project' | 'all' };

/** Reads, and finds only what the caller sees. */
export const READ: Access = Object.freeze({ role: 'reader', scope: 'project' });
/** Reads what belongs to no project in particular. */
export const READ_ALL: Access = Object.freeze({ role: 'reader', scope: 'all' });
/** Changes what the caller sees. */
export const WRITE: Access = Object.freeze({ role: 'member', scope: 'project' });
/** Changes whatever there is. */
export const ADMIN: Access = Object.freeze({ role: 'admin', scope: 'all' });

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route states it; see guard.ts. */
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; where nobody is asked who they are, reading this is an error. */
    readonly caller: Caller;
    /**
     * On a route whose requests are passed on: who asks, which `caller` then says as well; `null`: nobody who is known, or
     * has any right, here. Errors: why that cannot be told, `too_many_requests`.
     */
    recognize(reply: FastifyReply): Promise<Caller | null>;
    /** For an answer that takes long: whether who asks still has the rights that they had, as far as can be told. */
    isStillAllowed(): Promise<boolean>;
  }
}
