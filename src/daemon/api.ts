import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createDoors } from '../api/access/doors.ts';
import { authenticateSocket, isLoopback } from '../api/access/local-callers.ts';
import { createApi } from '../api/api.ts';
import type { ApiDeps } from '../api/deps.ts';
import { connectionsWithin } from '../api/listen/limits.ts';
import { listenOnSocket } from '../api/listen/socket.ts';
import { createTcpListener, type TcpListener } from '../api/listen/tcp.ts';
import { printTcpAddress } from '../api/listen/tcp-address.ts';
import type { RouterOwners } from '../api/neutron/upstream/router-owners.ts';
import { descriptorLimit } from '../kernel/descriptors.ts';
import type { Config } from './config-schema.ts';
import { openKeystone } from './keystone.ts';
import { isOnlyForThisMachine, listenAddress } from './listen-address.ts';
import { neutronOptions } from './neutron.ts';
import { tcpCallers } from './tcp-callers.ts';
import { openKeyPair } from './tcp-key-pair.ts';

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  /** How what was started is undone, in reverse order. */
  readonly steps: AsyncDisposableStack;
}

/** The API on the unix socket, and on TCP where that is configured. */
export async function serveApi(
  { config, log, steps }: Surroundings,
  deps: Omit<ApiDeps, 'log' | 'authenticate' | 'admit' | 'neutron'>,
  owners: RouterOwners,
): Promise<void> {
  const mostConnections = connectionsWithin(descriptorLimit());
  const doors = createDoors();
  const keystone = await openKeystone(config, log);
  const neutron = neutronOptions(config, owners, keystone, log);
  const api = createApi({
    ...deps,
    authenticate: doors.authenticate,
    admit: doors.admit,
    neutron,
    log,
    mostConnections,
  });
  doors.guard(api.server, authenticateSocket);
  const address = listenAddress(config);
  const keyPair = address && (await openKeyPair({ config, log, steps }));
  const { authenticate, admit } = await tcpCallers(config, deps.registry.tokens, keystone);
  const { connections_per_address: mostOfOneAddress } = config;
  const onlyLoopback = isOnlyForThisMachine(config);
  const options = { keyPair: keyPair?.first ?? null, admit, mostConnections, mostOfOneAddress, onlyLoopback };
  const tcp = address && createTcpListener(api, doors, authenticate, options);
  if (tcp !== null) keyPair?.follow(tcp);
  steps.defer(() => closeApi(api, tcp));
  // Before that: requests that wait for Keystone would hold up the end.
  steps.defer(() => keystone?.close());
  await mkdir(dirname(config.socket), { recursive: true, mode: 0o755 });
  await listenOnSocket(api, config.socket);
  if (tcp !== null && address !== null) {
    log.info(`listening on ${printTcpAddress(await tcp.listen(address))}`);
    if (keyPair === null && !isLoopback(address.host))
      log.warn('tokens can be read on the way to this address, since TLS is not configured');
  }
}

async function closeApi(api: FastifyInstance, tcp: TcpListener | null): Promise<void> {
  await api.close();
  await tcp?.ended();
}
