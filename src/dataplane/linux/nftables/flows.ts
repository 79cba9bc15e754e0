import { isIP } from 'node:net';
import type { SetElement } from '../../../kernel/nft-batch.ts';
import type { FlowRule } from '../../../kernel/stale-flows.ts';
import { type Address, addressValue } from '../../../model/address.ts';
import { SETS } from './layout.ts';

/**
 * What the elements say about flows; those that only count say nothing, nor does what is in a map that a stranger has
 * given the name of ours, with keys and targets of other types.
 */
export function flowRules(elements: readonly SetElement[]): readonly FlowRule[] {
  return elements.filter((element) => TRANSLATING.has(element.set) && hasAddresses(element)).map(flowRule);
}

function hasAddresses({ key, value }: SetElement): boolean {
  const [target = ''] = value.split(' . ');
  const ends = key.split('-').map((end) => end.split(' . ').slice(0, -2));
  return [target, ...ends.flat()].every((text) => isIP(text) !== 0) && ends.every(({ length }) => length > 0);
}

const TRANSLATING: ReadonlySet<string> = new Set(
  [SETS[4], SETS[6]].flatMap(({ exact, guarded, span }) => [exact.name, guarded.name, span.name]),
);

function flowRule({ key, value }: SetElement): FlowRule {
  const [first = '', last = first] = key.split('-');
  const [from, to] = [placeOf(first), placeOf(last)];
  const [target = '', targetPort] = value.split(' . ');
  const { protocol, destination } = from;
  return {
    protocol,
    destination,
    ports: { first: from.port, last: to.port },
    source:
      from.source === null || to.source === null
        ? null
        : { family: destination.family, first: from.source, last: to.source },
    target: addressFrom(target),
    targetPort: targetPort === undefined ? null : Number(targetPort),
  };
}

/** `[source . ]destination . protocol . port` */
function placeOf(text: string) {
  const [port = '', protocol = '', destination = '', source] = text.split(' . ').reverse();
  return {
    port: Number(port),
    protocol: Number(protocol),
    destination: addressFrom(destination),
    source: source === undefined ? null : addressValue(addressFrom(source)),
  };
}

/** As the kernel has it: canonical already. */
function addressFrom(text: string): Address {
  return { family: text.includes(':') ? 6 : 4, text };
}
