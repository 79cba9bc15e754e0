import type { RequestListener } from 'node:http';

/**
 * Begins one request in each turn of the event loop. Between any two of them, whatever else there is has its turn: requests
 * that come by another listener, what the kernel tells, timers. Otherwise all that have come at once go before it.
 */
export function inTurns(listener: RequestListener): RequestListener {
  const waiting: (() => void)[] = [];

  function turn(): void {
    const begin = waiting.shift();
    // The next one also where this one throws.
    if (waiting.length > 0) setImmediate(turn);
    begin?.();
  }

  return (request, response) => {
    waiting.push(() => listener(request, response));
    if (waiting.length === 1) setImmediate(turn);
  };
}
