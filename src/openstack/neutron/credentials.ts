import type { IncomingHttpHeaders } from 'node:http';
import type { Header } from './end-to-end.ts';

/** By what Neutron tells who asks: a token (that of a service vouches for one of a user that has ended meanwhile), or, without authentication of its own, what it is told. */
const CREDENTIALS = ['x-auth-token', 'x-service-token', 'x-user-id', 'x-project-id', 'x-tenant-id', 'x-roles'];

/** As whom Neutron is asked. */
export type Credentials = readonly Header[];

/** Those with which a request came. */
export function credentialsIn(headers: IncomingHttpHeaders): Credentials {
  return CREDENTIALS.flatMap((name) => [headers[name] ?? []].flat().map((value): Header => [name, value]));
}

export function tokenCredentials(token: string): Credentials {
  return [['x-auth-token', token]];
}
