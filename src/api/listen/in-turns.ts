import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** A turn of the loop in which nothing is begun costs microseconds; but who goes on coming must not hold up the others. */
const MOST_LET_IN = 500;

/**
 * Begins one request in each turn of the event loop. Between any two of them, whatever else there is has its turn: requests
 * that come by another listener, what the kernel tells, timers. Otherwise all that have come at once go before it. Who has
 * many that wait has one of them begun, and then all others have one of theirs; before, all who are at the door are let in,
 * since Node takes one connection in each turn (libuv 1.45, https://github.com/libuv/libuv/pull/3696). Those whose clients
 * have gone meanwhile are left out.
 */
export function inTurns(listener: RequestListener): RequestListener {
  /** Of each asker in the order in which they came; whose turn it is comes first. */
  const waiting = new Map<string, Waiting[]>();
  let isDue = false;
  /** How many came since one was begun, and whether any of them did in the last turn. */
  let letIn = 0;
  let hasGrown = false;

  function next(): Waiting | undefined {
    for (const [asker, own] of waiting) {
      const first = own.shift();
      waiting.delete(asker);
      if (own.length > 0) waiting.set(asker, own);
      if (first?.socket.destroyed === false) return first;
    }
    return undefined;
  }

  function turn(): void {
    if (hasGrown && letIn < MOST_LET_IN) {
      hasGrown = false;
      setImmediate(turn);
      return;
    }
    letIn = 0;
    const first = next();
    // The next one also where this one throws.
    isDue = waiting.size > 0;
    if (isDue) setImmediate(turn);
    first?.begin();
  }

  return (request, response) => {
    const asker = whoSeemsToAsk(request);
    const own = waiting.get(asker) ?? [];
    own.push({ socket: request.socket, begin: () => listener(request, response) });
    waiting.set(asker, own);
    letIn++;
    hasGrown = true;
    if (!isDue) setImmediate(turn);
    isDue = true;
  };
}

interface Waiting {
  readonly socket: Socket;
  readonly begin: () => void;
}

/** What is said has not been checked yet; those who say something else each time are soon refused. */
function whoSeemsToAsk({ headers: { authorization, 'x-auth-token': token }, socket }: IncomingMessage): string {
  return authorization ?? String(token ?? socket.remoteAddress);
}
