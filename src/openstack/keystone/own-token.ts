import type { OwnToken } from './identity-api.ts';

/** A token is renewed after this part of its life. */
const RENEWED_AFTER = 0.9;

/** After a login that failed, none is tried for so long; whoever asks meanwhile gets the same error. */
const PAUSE_MS = 1_000;

/** The token with which this service asks, made when it is first needed, and renewed before it ends. */
export interface OwnTokenKeeper {
  /** Rejects as the login does. */
  get(): Promise<string>;
  /** Says that Keystone refuses this token, so that the next `get` gives another. */
  refused(token: string): void;
}

interface Held {
  readonly login: Promise<OwnToken>;
  /** By `performance.now()`: Keystone's clock may differ from ours. */
  until: number;
}

export function createOwnTokenKeeper(logIn: () => Promise<OwnToken>): OwnTokenKeeper {
  let held: Held | null = null;
  let current: string | null = null;

  /** Whoever asks while it is under way waits for the same. */
  function renew(): Held {
    current = null;
    const renewed: Held = { login: logIn(), until: Number.POSITIVE_INFINITY };
    renewed.login.then(
      ({ token, lifetimeMs }) => {
        current = token;
        renewed.until = performance.now() + lifetimeMs * RENEWED_AFTER;
      },
      () => {
        renewed.until = performance.now() + PAUSE_MS;
      },
    );
    return renewed;
  }

  return {
    async get() {
      if (held === null || held.until <= performance.now()) held = renew();
      const { token } = await held.login;
      return token;
    },
    refused(token) {
      if (token === current) held = null;
    },
  };
}
