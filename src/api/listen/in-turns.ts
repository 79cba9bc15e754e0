import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Begins one request in each turn of the event loop. Between any two of them, whatever else there is has its turn: requests
 * that come by another listener, what the kernel tells, timers. Otherwise all that have come at once go before it. Those
 * whose clients have gone meanwhile are left out.
 */
export function inTurns(listener: RequestListener): RequestListener {
  const waiting: Waiting[] = [];

  function turn(): void {
    let first = waiting.shift();
    while (first?.socket.destroyed) first = waiting.shift();
    // The next one also where this one throws.
    if (waiting.length > 0) setImmediate(turn);
    first?.begin();
  }

  return (request, response) => {
    waiting.push({ socket: request.socket, begin: () => listener(request, response) });
    if (waiting.length === 1) setImmediate(turn);
  };
}

interface Waiting {
  readonly socket: Socket;
  readonly begin: () => void;
}
