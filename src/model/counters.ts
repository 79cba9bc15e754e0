/** What has gone through one forward on one node. */
export interface Counters {
  /** Flows that were led to the target. */
  readonly connections: number;
  /** From clients to the target, and back; `null`: not counted there. */
  readonly in: Traffic | null;
  readonly out: Traffic | null;
}

export interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

export const NO_TRAFFIC: Traffic = Object.freeze({ packets: 0, bytes: 0 });

/** What both have counted together; what one of them does not count is not counted. */
export function addCounters(a: Counters, b: Counters): Counters {
  return {
    connections: a.connections + b.connections,
    in: addTraffic(a.in, b.in),
    out: addTraffic(a.out, b.out),
  };
}

function addTraffic(a: Traffic | null, b: Traffic | null): Traffic | null {
  return a && b && { packets: a.packets + b.packets, bytes: a.bytes + b.bytes };
}
