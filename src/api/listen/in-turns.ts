import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Begins one request in each turn of the event loop. Between any two of them, whatever else there is has its turn: requests
 * that come by another listener, what the kernel tells, timers. Otherwise all that have come at once go before it. Who has
 * many that wait has one of them begun, and then all others have one of theirs. Before, those at the door are let in, for as
 * long as the last one took at the most: Node takes one connection in each turn (libuv 1.45,
 * https://github.com/libuv/libuv/pull/3696), so that who is not in yet would wait behind all. Those whose clients have gone
 * meanwhile are left out. `clock`: in ms, and never set back.
 */
export function inTurns(listener: RequestListener, clock: () => number = () => performance.now()): RequestListener {
  /** Of each asker in the order in which they came; whose turn it is comes first. */
  const waiting = new Map<string, Waiting[]>();
  let isDue = false;
  /** When the last one was begun, until it is known how long the loop was busy with it. */
  let begun: number | null = null;
  /** Until when those at the door are let in. */
  let openUntil = 0;
  /** Whether anybody came in the last turn. */
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
    const now = clock();
    if (begun !== null) openUntil = now + (now - begun);
    begun = null;
    if (hasGrown && now < openUntil) {
      hasGrown = false;
      setImmediate(turn);
      return;
    }
    const first = next();
    isDue = first !== undefined;
    if (first === undefined) return;
    // Also where this one throws, and where nobody waits behind it: to see how long it took.
    setImmediate(turn);
    begun = now;
    first.begin();
  }

  return (request, response) => {
    const asker = whoSeemsToAsk(request);
    const own = waiting.get(asker) ?? [];
    own.push({ socket: request.socket, begin: () => listener(request, response) });
    waiting.set(asker, own);
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
