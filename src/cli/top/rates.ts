import type { Counters } from '../../client/operations.ts';

/** What the daemon counted at one moment. */
export interface Sample {
  /** Milliseconds, by a clock that only goes forward. */
  readonly at: number;
  readonly counters: readonly Counters[];
}

/** What goes through one forward now; rates are for each second, and `null` where packets are not counted. */
export interface ForwardRates {
  readonly forward: string;
  readonly live: number;
  readonly connections: number;
  readonly packets_in: number | null;
  readonly bytes_in: number | null;
  readonly packets_out: number | null;
  readonly bytes_out: number | null;
}

type Counter = 'connections' | 'packets_in' | 'bytes_in' | 'packets_out' | 'bytes_out';

/** Between two samples. What was not there before, or has begun anew since, counts from 0. */
export function ratesBetween(before: Sample, after: Sample): readonly ForwardRates[] {
  const earlier = new Map(before.counters.map((counted) => [counted.forward, counted]));
  const seconds = Math.max(after.at - before.at, 1) / 1000;
  return after.counters.map((now) => {
    const then = earlier.get(now.forward);
    const isAnew = then === undefined || then.connections > now.connections;
    const rate = (counter: Counter) => {
      const [value, base] = [now[counter], isAnew ? 0 : then[counter]];
      return value === null ? null : Math.max(0, value - (base ?? 0)) / seconds;
    };
    return {
      forward: now.forward,
      live: now.live ?? 0,
      connections: rate('connections') ?? 0,
      packets_in: rate('packets_in'),
      bytes_in: rate('bytes_in'),
      packets_out: rate('packets_out'),
      bytes_out: rate('bytes_out'),
    };
  });
}

/** All together; `null` where no forward counts it. */
export function sumRates(rates: readonly ForwardRates[]): Omit<ForwardRates, 'forward'> {
  const sum = (counter: Exclude<keyof ForwardRates, 'forward'>) => {
    const counted = rates.flatMap((rate) => rate[counter] ?? []);
    return counted.length === 0 ? null : counted.reduce((total, value) => total + value, 0);
  };
  return {
    live: sum('live') ?? 0,
    connections: sum('connections') ?? 0,
    packets_in: sum('packets_in'),
    bytes_in: sum('bytes_in'),
    packets_out: sum('packets_out'),
    bytes_out: sum('bytes_out'),
  };
}
