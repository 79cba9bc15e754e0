import { printTime } from '../../model/time.ts';
import { requestMalformed } from '../validation.ts';

interface ExpiryFields {
  readonly expires_at?: string | null;
  readonly expires_in?: number;
}

/** With the time at which it ends in place of the seconds until then. Error: `request_malformed` for both at once. */
export function withExpiry<Body extends ExpiryFields>({ expires_in, ...body }: Body) {
  if (expires_in === undefined) return body;
  if (body.expires_at !== undefined)
    throw requestMalformed('expires_at and expires_in exclude each other', 'expires_in');
  return { ...body, expires_at: printTime(Date.now() + expires_in * 1000) };
}
