import fc from 'fast-check';
import { type Address, parseAddress } from '../../src/model/address.ts';
import { parseCidr } from '../../src/model/cidr.ts';
import type { ForwardId } from '../../src/model/ids.ts';
import { parsePortRange, portCount } from '../../src/model/port-range.ts';
import type { Protocol } from '../../src/model/protocol.ts';
import { type Program, type Rule, rulesOverlap } from '../../src/program/rule.ts';
import { idOf } from '../model/arbitraries.ts';

/** A rule, in short; ports are single ones or ranges. */
export function ruleOf(
  id: number,
  protocol: Protocol,
  [external, externalPorts]: readonly [string, number | string],
  [internal, internalPorts]: readonly [string, number | string],
  ...sources: readonly string[]
): Rule {
  return {
    forward: idOf(id),
    protocol,
    external: parseAddress(external),
    externalPorts: parsePortRange(String(externalPorts)),
    internal: parseAddress(internal),
    internalPorts: parsePortRange(String(internalPorts)),
    sources: sources.map(parseCidr),
    expiresAt: null,
  };
}

export function programOf(rules: readonly Rule[]): Program {
  return new Map<ForwardId, Rule>(rules.map((rule) => [rule.forward, rule]));
}

export interface Universe {
  readonly protocols: readonly Protocol[];
  readonly external: readonly Address[];
  /** Ports and ranges. */
  readonly externalPorts: readonly (number | string)[];
  readonly internal: readonly Address[];
  /** Where ports lead; ranges begin there, or lead there as a whole, or keep their ports. */
  readonly internalPorts: readonly number[];
  /** Networks that a rule may be restricted to. */
  readonly sources?: readonly string[];
}

/** Programs over few enough addresses and ports that packets at random often meet a rule. */
export function programs(universe: Universe): fc.Arbitrary<Program> {
  const rule = fc.constantFrom(4 as const, 6 as const).chain((family) => {
    const of = (addresses: readonly Address[]) => addresses.filter((address) => address.family === family);
    const sources = (universe.sources ?? []).filter((text) => parseCidr(text).family === family);
    return fc.record({
      protocol: fc.constantFrom(...universe.protocols),
      external: fc.constantFrom(...of(universe.external)),
      externalPort: fc.constantFrom(...universe.externalPorts),
      internal: fc.constantFrom(...of(universe.internal)),
      internalPort: fc.constantFrom(...universe.internalPorts),
      kind: fc.constantFrom('kept' as const, 'shifted' as const, 'to one' as const),
      sources: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        fc.subarray(sources, { maxLength: Math.min(2, sources.length) }),
      ),
    });
  });
  return fc.array(rule, { maxLength: 24, size: 'max' }).map((wishes) => {
    const rules = wishes.map((wish, index) =>
      ruleOf(
        index,
        wish.protocol,
        [wish.external.text, wish.externalPort],
        [wish.internal.text, internalPorts(String(wish.externalPort), wish.internalPort, wish.kind)],
        ...wish.sources,
      ),
    );
    return programOf(withoutOverlaps(rules));
  });
}

function internalPorts(external: string, first: number, kind: 'kept' | 'shifted' | 'to one'): string {
  const size = portCount(parsePortRange(external));
  if (size === 1 || kind === 'to one' || first + size > 65_536) return `${first}`;
  return kind === 'kept' ? external : `${first}-${first + size - 1}`;
}

function withoutOverlaps(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter((rule, index) => !rules.slice(0, index).some((earlier) => rulesOverlap(earlier, rule)));
}
