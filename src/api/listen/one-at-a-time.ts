import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** On one connection. No client that wants its answers sends so many ahead; one that floods never stops. */
const MOST_WAITING = 16;

/**
 * Deals with the requests of a connection one after the other. Node begins with all that a client has sent without waiting
 * for answers (pipelining), a thousand in one packet, and would hold as many answers in memory for one who does not read.
 * Where too many wait, the connection is closed: Node stops reading only for answers that pile up, and here there are none.
 */
export function oneAtATime(listener: RequestListener): RequestListener {
  /** Of connections on which a request is being answered, those that came after it. */
  const waiting = new WeakMap<Socket, (() => void)[]>();

  return (request, response) => {
    const { socket } = request;
    // Of what it has read already, Node tells the rest.
    if (socket.destroyed) return;

    function begin(): void {
      response.once('close', next);
      listener(request, response);
    }

    function next(): void {
      const following = waiting.get(socket)?.shift();
      if (following === undefined) waiting.delete(socket);
      else if (!socket.destroyed) following();
    }

    const others = waiting.get(socket);
    if (others === undefined) {
      waiting.set(socket, []);
      begin();
    } else if (others.length < MOST_WAITING) {
      others.push(begin);
    } else {
      socket.destroy();
    }
  };
}
