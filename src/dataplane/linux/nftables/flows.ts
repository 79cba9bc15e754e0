import { isIP } from 'node:net';
import type { FlowRule } from '../../../kernel/conntrack/stale-flows.ts';
import type { SetElement } from '../../../kernel/nft/nft-batch.ts';
import { type Address, addressValue } from '../../../model/address.ts';
import { SETS } from './layout.ts';

type AddressReader = (text: string) => Address | null;

/**
 * What the elements say about flows; those that only count say nothing, nor does what is in a map that a stranger has
 * given the name of ours, with keys and targets of other types.
 */
export function flowRules(elements: readonly SetElement[]): readonly FlowRule[] {
  const addressFrom = createAddressReader();
  return elements.flatMap((element) => (TRANSLATING.has(element.set) ? (flowRule(element, addressFrom) ?? []) : []));
}

const TRANSLATING: ReadonlySet<string> = new Set(
  [SETS[4], SETS[6]].flatMap(({ exact, guarded, span }) => [exact.name, guarded.name, span.name]),
);

function flowRule({ key, value }: SetElement, addressFrom: AddressReader): FlowRule | null {
  const [first = '', last] = key.split('-');
  const from = placeOf(first, addressFrom);
  const to = last === undefined ? from : placeOf(last, addressFrom);
  const [targetText = '', targetPort] = value.split(' . ');
  const target = addressFrom(targetText);
  if (from === null || to === null || target === null) return null;
  const { protocol, destination } = from;
  return {
    protocol,
    destination,
    ports: { first: from.port, last: to.port },
    source:
      from.source === null || to.source === null
        ? null
        : { family: destination.family, first: addressValue(from.source), last: addressValue(to.source) },
    target,
    targetPort: targetPort === undefined ? null : Number(targetPort),
  };
}

/** `destination . protocol . port`, or `port . destination . protocol . source`; `null`: something else. */
function placeOf(text: string, addressFrom: AddressReader) {
  const parts = text.split(' . ');
  const [port, destinationText = '', protocol, sourceText] =
    parts.length === 4 ? parts : [parts[2], parts[0], parts[1]];
  const destination = addressFrom(destinationText);
  const source = sourceText === undefined ? null : addressFrom(sourceText);
  const isStrange = destination === null || (sourceText !== undefined && source === null);
  return isStrange ? null : { port: Number(port), protocol: Number(protocol), destination, source };
}

/**
 * Texts are as the kernel has them: canonical already; `null`: it is no address. Equal ones are one value: a shifted range
 * names the same addresses tens of thousands of times, and all of it is copied for the kernel's thread.
 */
function createAddressReader(): AddressReader {
  const known = new Map<string, Address | null>();
  return (text) => {
    let address = known.get(text);
    if (address === undefined) {
      const family = isIP(text);
      address = family === 4 || family === 6 ? { family, text } : null;
      known.set(text, address);
    }
    return address;
  };
}
