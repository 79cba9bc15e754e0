import { isLoopback } from '../api/access/local-callers.ts';
import { parseTcpAddress, type TcpAddress } from '../api/listen/tcp-address.ts';
import { hatobaError } from '../model/errors.ts';
import type { Config } from './config-schema.ts';

/** Where to listen besides the socket; `null`: nowhere. Errors: `listen_malformed`, `listen_unprotected`. */
export function listenAddress(config: Config): TcpAddress | null {
  const { listen } = config;
  if (listen === null) return null;
  const address = parseTcpAddress(listen);
  if (isOnlyForThisMachine(config) && !isLoopback(address.host))
    throw hatobaError('listen_unprotected', { value: listen });
  return address;
}

/** Whether something is answered on TCP without anybody being asked who they are. */
export function isOnlyForThisMachine({ authentication, keystone, neutron }: Config): boolean {
  const passesOn = typeof neutron === 'object' && neutron.upstream !== undefined;
  // Without Keystone, Neutron can only be one that asks nobody either.
  return authentication === 'none' || (passesOn && keystone === null);
}
