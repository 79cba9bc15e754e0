import type { Server, Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { hatobaError } from '../../model/errors.ts';
import type { Authenticate } from './guard.ts';

/** The ways into the API: each listener has its own way to tell who asks. */
export interface Doors {
  /** What comes in by this server from now on is asked like that. To be called before it listens. */
  guard(server: Server, authenticate: Authenticate): void;
  /** By the door through which the request came. Error: `not_authenticated` for one that came through none. */
  readonly authenticate: Authenticate;
}

export function createDoors(): Doors {
  const doors = new WeakMap<Socket, Authenticate>();

  return {
    guard(server, authenticate) {
      const remember = (socket: Socket): unknown => doors.set(socket, authenticate);
      server.on('connection', remember);
      // Over TLS, requests come on a socket of their own.
      server.on('secureConnection', remember);
    },

    authenticate(request: FastifyRequest) {
      const door = doors.get(request.raw.socket);
      if (door === undefined) throw hatobaError('not_authenticated', { reason: 'the request came by no listener' });
      return door(request);
    },
  };
}
