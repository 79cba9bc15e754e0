import type { Server, Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { hatobaError } from '../../model/errors.ts';
import type { Admit, Authenticate } from './guard.ts';

/** The ways into the API: each listener has its own way to tell who asks. */
export interface Doors {
  /**
   * What comes in by this server from now on is asked and admitted like that. To be called before it listens. `admit`: by
   * default, nobody asks too much.
   */
  guard(server: Server, authenticate: Authenticate, admit?: Admit): void;
  /** By the door through which the request came. Error: `not_authenticated` for one that came through none. */
  readonly authenticate: Authenticate;
  readonly admit: Admit;
}

interface Door {
  readonly authenticate: Authenticate;
  readonly admit: Admit;
}

export function createDoors(): Doors {
  const doors = new WeakMap<Socket, Door>();

  return {
    guard(server, authenticate, admit = () => undefined) {
      const remember = (socket: Socket): unknown => doors.set(socket, { authenticate, admit });
      server.on('connection', remember);
      // Over TLS, requests come on a socket of their own.
      server.on('secureConnection', remember);
    },

    authenticate(request: FastifyRequest) {
      const door = doors.get(request.raw.socket);
      if (door === undefined) throw hatobaError('not_authenticated', { reason: 'the request came by no listener' });
      return door.authenticate(request);
    },

    admit(caller, request) {
      doors.get(request.raw.socket)?.admit(caller, request);
    },
  };
}
