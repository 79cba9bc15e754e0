import { isLoopback } from '../api/access/local-callers.ts';
import { parseTcpAddress, type TcpAddress } from '../api/listen/tcp-address.ts';
import { hatobaError } from '../model/errors.ts';
import type { Config } from './config-schema.ts';

/** Where to listen besides the socket; `null`: nowhere. Errors: `listen_malformed`, `listen_unprotected`. */
export function listenAddress({ listen, authentication, keystone, neutron }: Config): TcpAddress | null {
  if (listen === null) return null;
  const address = parseTcpAddress(listen);
  const passesOn = typeof neutron === 'object' && neutron.upstream !== undefined;
  // Without Keystone, Neutron can only be one that asks nobody who they are either.
  const asksNobody = authentication === 'none' || (passesOn && keystone === null);
  if (asksNobody && !isLoopback(address.host)) throw hatobaError('listen_unprotected', { value: listen });
  return address;
}
