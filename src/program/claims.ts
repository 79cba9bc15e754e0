import { createPortMap } from '../model/port-map.ts';
import { type Rule, rulesOverlap } from './rule.ts';

/** Which rules have which packets. */
export interface Claims {
  add(rule: Rule): void;
  remove(rule: Rule): void;
  /** Those that match some packet that this one matches, too. */
  overlapping(rule: Rule): readonly Rule[];
}

export function createClaims(): Claims {
  const ports = createPortMap<Rule>(({ externalPorts }) => externalPorts);
  return {
    add: (rule) => ports.add(placeOf(rule), rule),
    remove: (rule) => ports.remove(placeOf(rule), rule),
    overlapping: (rule) => ports.near(placeOf(rule), rule.externalPorts).filter((other) => rulesOverlap(other, rule)),
  };
}

function placeOf({ protocol, external }: Rule): string {
  return `${protocol} ${external.text}`;
}
