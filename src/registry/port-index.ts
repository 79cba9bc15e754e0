import { conflict } from '../model/conflicts.ts';
import type { Forward, ForwardSpec } from '../model/forward.ts';
import type { ForwardId } from '../model/ids.ts';
import { type PortRange, portCount } from '../model/port-range.ts';
import { PROTOCOL_NUMBERS, type Protocol } from '../model/protocol.ts';
import type { Gateways } from '../model/router.ts';

/** One router's forwards by protocol and external port. */
export interface PortIndex {
  add(forward: Forward): void;
  remove(forward: Forward): void;
  /** One that conflicts with the spec, `except` apart. Constant time where all ports are single ones. */
  conflictOf(spec: ForwardSpec, gateways: Gateways, except: ForwardId | null): Forward | undefined;
}

export function createPortIndex(): PortIndex {
  // Most ports have one forward, so lists are made only for those with more: on other addresses, for other sources.
  const single = new Map<number, Forward | readonly Forward[]>();
  const wide = new Map<ForwardId, Forward>();

  function* candidates(spec: ForwardSpec): Iterable<Forward> {
    yield* wide.values();
    for (const place of placesOf(spec.protocol, spec.externalPorts)) yield* listOf(single.get(place));
  }

  return {
    add(forward) {
      if (isWide(forward)) {
        wide.set(forward.id, forward);
        return;
      }
      const place = placeOf(forward);
      const there = single.get(place);
      single.set(place, there === undefined ? forward : [...listOf(there), forward]);
    },

    remove(forward) {
      if (wide.delete(forward.id)) return;
      const place = placeOf(forward);
      const [first, ...others] = listOf(single.get(place)).filter(({ id }) => id !== forward.id);
      if (first === undefined) single.delete(place);
      else single.set(place, others.length === 0 ? first : [first, ...others]);
    },

    conflictOf(spec, gateways, except) {
      for (const candidate of candidates(spec)) {
        if (candidate.id !== except && conflict(candidate, spec, gateways)) return candidate;
      }
      return undefined;
    },
  };
}

function isWide({ externalPorts }: ForwardSpec): boolean {
  return portCount(externalPorts) > 1;
}

function placeOf({ protocol, externalPorts }: ForwardSpec): number {
  return PROTOCOL_NUMBERS[protocol] * 65_536 + externalPorts.first;
}

function* placesOf(protocol: Protocol, { first, last }: PortRange): Iterable<number> {
  for (let port = first; port <= last; port++) yield PROTOCOL_NUMBERS[protocol] * 65_536 + port;
}

function listOf(there: Forward | readonly Forward[] | undefined): readonly Forward[] {
  if (there === undefined) return [];
  return 'id' in there ? [there] : there;
}
