import fc from 'fast-check';
import { type Address, parseAddress } from '../../src/model/address.ts';
import type { ForwardId } from '../../src/model/ids.ts';
import type { Protocol } from '../../src/model/protocol.ts';
import { matchOf, type Program, type Rule } from '../../src/program/rule.ts';
import { idOf } from '../model/arbitraries.ts';

/** A rule of one port, in short. */
export function ruleOf(
  id: number,
  protocol: Protocol,
  [external, externalPort]: readonly [string, number],
  [internal, internalPort]: readonly [string, number],
): Rule {
  return {
    forward: idOf(id),
    protocol,
    external: parseAddress(external),
    externalPorts: { first: externalPort, last: externalPort },
    internal: parseAddress(internal),
    internalPorts: { first: internalPort, last: internalPort },
  };
}

export function programOf(rules: readonly Rule[]): Program {
  return new Map<ForwardId, Rule>(rules.map((rule) => [rule.forward, rule]));
}

export interface Universe {
  readonly protocols: readonly Protocol[];
  readonly external: readonly Address[];
  readonly externalPorts: readonly number[];
  readonly internal: readonly Address[];
  readonly internalPorts: readonly number[];
}

/** Programs over few enough addresses and ports that packets at random often meet a rule. */
export function programs(universe: Universe): fc.Arbitrary<Program> {
  const families = [4, 6] as const;
  const rule = fc.constantFrom(...families).chain((family) => {
    const of = (addresses: readonly Address[]) => addresses.filter((address) => address.family === family);
    return fc.record({
      protocol: fc.constantFrom(...universe.protocols),
      external: fc.constantFrom(...of(universe.external)),
      externalPort: fc.constantFrom(...universe.externalPorts),
      internal: fc.constantFrom(...of(universe.internal)),
      internalPort: fc.constantFrom(...universe.internalPorts),
    });
  });
  return fc.array(rule, { maxLength: 24, size: 'max' }).map((wishes) => {
    const rules = wishes.map(({ protocol, external, externalPort, internal, internalPort }, index) =>
      ruleOf(index, protocol, [external.text, externalPort], [internal.text, internalPort]),
    );
    return programOf([...new Map(rules.map((each) => [matchOf(each), each])).values()]);
  });
}
