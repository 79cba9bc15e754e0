import type { FastifyInstance } from 'fastify';
import { hatobaError } from '../../../model/errors.ts';
import { type Header, headersIn } from '../../../openstack/neutron/end-to-end.ts';
import { looksLikeSecret } from '../../../registry/tokens/token-secret.ts';

/** By which Neutron knows who asks: with a token of ours there, it could only answer that it does not know it. */
const THEIRS = ['x-auth-token', 'x-service-token'];

/** Tokens of ours are no business of Neutron's: a request that has one for it goes no further. Error: `not_authenticated`. */
export function refuseOwnSecrets(api: FastifyInstance): void {
  api.addHook('onRequest', (request, reply, done) => {
    const own = headersIn(request.raw.rawHeaders).find(([name, value]) => isTheirs(name) && hasSecret(value));
    if (own === undefined) return done();
    reply.header('www-authenticate', 'Bearer');
    const reason = `${own[0]} has a token of hatoba, and Neutron takes those of Keystone`;
    done(hatobaError('not_authenticated', { reason }));
  });
}

function isTheirs(name: string): boolean {
  return THEIRS.includes(name.toLowerCase());
}

/** Whether the header has a token of ours, with any scheme or none, in whatever header a client put it. */
export function isForUs([, value]: Header): boolean {
  return hasSecret(value);
}

/** Basic authentication has its words in base64 (RFC 7617). */
const BASIC = /^\s*basic +([\w+/=-]+)/i;

function hasSecret(value: string): boolean {
  const basic = BASIC.exec(value)?.[1];
  const decoded = basic === undefined ? '' : Buffer.from(basic, 'base64').toString('latin1');
  return [value, decoded].some((text) => text.split(/[^\w-]+/).some(looksLikeSecret));
}
