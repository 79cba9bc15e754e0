import type { Server as PlainServer } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { closeSlowClients } from './slow-clients.ts';

/** Idle connections are closed by Node after the first, slow ones after the second time. */
export const KEEP_ALIVE = 30_000;
const DELIVERY = 60_000;

/** A connection on which nothing moves, though an answer is under way; longer than the longest `wait`. */
export const STALL = 120_000;

/**
 * Of each listener; more are closed at once: clients must not take the descriptors that the kernel room needs, nor those on
 * TCP the connections of the unix socket.
 */
export const MOST_CONNECTIONS = 512;

/** The part of all descriptors that the connections of one listener may have; the kernel room has three quarters at least. */
const PART = 1 / 8;

/** How many connections each listener may have where the process may open so many files. */
export function connectionsWithin(descriptors: number): number {
  return Math.max(1, Math.min(MOST_CONNECTIONS, Math.floor(descriptors * PART)));
}

/** Of one remote address, of all that there are on TCP, unless it is configured otherwise. */
export const MOST_OF_ONE_ADDRESS = MOST_CONNECTIONS / 4;

/** Bytes that Node keeps of what a client has not sent or read in full, in each direction. */
const BUFFERED = 16 * 1024;

/** Node's periodic check of slow clients never happens (this is the longest that setInterval knows); see closeSlowClients. */
export const SERVER_OPTIONS = Object.freeze({ connectionsCheckingInterval: 2 ** 31 - 1, highWaterMark: BUFFERED });

/** What one client may take, on every listener alike. */
export function limitClients(server: PlainServer | TlsServer, mostConnections = MOST_CONNECTIONS): void {
  server.maxConnections = mostConnections;
  closeSlowClients(server, DELIVERY);
}
