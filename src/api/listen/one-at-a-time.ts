import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Deals with the requests of a connection one after the other. Node begins with all that a client has sent without waiting
 * for answers (pipelining), a thousand in one packet, and would hold as many answers in memory for one who does not read.
 */
export function oneAtATime(listener: RequestListener): RequestListener {
  /** Of connections on which a request is being answered, those that came after it. */
  const waiting = new WeakMap<Socket, (() => void)[]>();

  return (request, response) => {
    const { socket } = request;

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
    if (others !== undefined) {
      others.push(begin);
      return;
    }
    waiting.set(socket, []);
    begin();
  };
}
