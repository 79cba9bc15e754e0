import { type Caller, callerKey } from '../../model/caller.ts';
import { type HatobaError, hatobaError } from '../../model/errors.ts';
import { createRateLimiter, type Rate } from './rate-limiter.ts';
import { remoteKey } from './remote-address.ts';

/** Of one address, tokens that are not valid: more than somebody needs who has mistaken one, far fewer than a flood. */
const FAILURES: Rate = Object.freeze({ perSecond: 10, burst: 50 });

/** As much of a request as counts here. */
interface Arrival {
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Lets each caller ask at that rate, and each remote address what anybody may ask. */
export function admitAtRate(rate: Rate, keyOf = remoteKey): (caller: Caller | null, request: Arrival) => void {
  const callers = createRateLimiter(rate);
  const addresses = createRateLimiter(rate);

  function admitAddress({ socket }: Arrival): void {
    const key = keyOf(socket.remoteAddress);
    const wait = key === null ? 0 : addresses.take(key);
    if (wait > 0) throw tooMany(`${key} asks`, rate, wait);
  }

  return (caller, request) => {
    if (caller === null) return admitAddress(request);
    const wait = callers.take(callerKey(caller));
    if (wait > 0) throw tooMany(`${caller.name} asks`, rate, wait);
  };
}

/** How often tokens that are not valid may come from one remote address. */
export interface FailureLimit {
  /** Where too many have come: before anybody else is bothered with one more. Error: `too_many_requests`. */
  refuse(request: Arrival): void;
  /** Counts one more. Error: `too_many_requests`. */
  count(request: Arrival): void;
}

/** `clock`: as that of `createRateLimiter`. */
export function createFailureLimit(keyOf = remoteKey, clock?: () => number): FailureLimit {
  const limiter = createRateLimiter(FAILURES, undefined, clock);

  function hold({ socket }: Arrival, waitOf: (key: string) => number): void {
    const key = keyOf(socket.remoteAddress);
    const wait = key === null ? 0 : waitOf(key);
    if (wait > 0) throw tooMany(`${key} fails to authenticate`, FAILURES, wait);
  }

  return {
    refuse: (request) => hold(request, (key) => limiter.ask(key)),
    count: (request) => hold(request, (key) => limiter.take(key)),
  };
}

function tooMany(what: string, { perSecond }: Rate, wait: number): HatobaError {
  const retryAfter = Math.ceil(wait / 1000);
  return hatobaError('too_many_requests', { what, limit: perSecond, seconds: retryAfter }, { retryAfter });
}
