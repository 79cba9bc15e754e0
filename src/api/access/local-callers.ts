import { isIP } from 'node:net';
import type { Caller } from '../../model/caller.ts';
import type { Authenticate } from './guard.ts';

/** Whoever may open the unix socket: its permissions have decided. */
const SOCKET_CALLER: Caller = operator('socket');

/** Whoever can connect to a TCP port that asks nobody who they are. */
const LOOPBACK_CALLER: Caller = operator('loopback');

function operator(name: string): Caller {
  return Object.freeze({ name, role: 'admin', project: null, allProjects: true });
}

export const authenticateSocket: Authenticate = async () => SOCKET_CALLER;

/** Everybody on this machine. */
export const authenticateLoopback: Authenticate = async () => LOOPBACK_CALLER;

/** Whether only this machine can reach the address, which may also be the name `localhost`; IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
