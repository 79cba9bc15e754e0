import { isIP } from 'node:net';
import type { Caller } from '../../model/caller.ts';
import { hatobaError } from '../../model/errors.ts';
import type { Authenticate } from './guard.ts';

/** Whoever may open the unix socket: its permissions have decided. */
const SOCKET_CALLER: Caller = operator('socket');

/** Whoever can connect to a TCP port that asks nobody who they are. */
const LOOPBACK_CALLER: Caller = operator('loopback');

function operator(name: string): Caller {
  return Object.freeze({ name, role: 'admin', project: null, allProjects: true });
}

export const authenticateSocket: Authenticate = async () => SOCKET_CALLER;

/**
 * Everybody on this machine, but not the pages in somebody's browser: a site can let its own name stand for 127.0.0.1
 * ("DNS rebinding"), and then it says that name here. Error: `host_not_local`.
 */
export const authenticateLoopback: Authenticate = async ({ hostname }) => {
  if (!isLoopback(hostname)) throw hatobaError('host_not_local', { value: hostname });
  return LOOPBACK_CALLER;
};

/** Whether only this machine can reach the address, which may also be the name `localhost`; IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
