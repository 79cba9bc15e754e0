import { addressSpace, type Interval, type Intervals, subtract } from '../../../interchange/intervals.ts';
import { addressValue, type Family } from '../../../model/address.ts';
import { parseCidr } from '../../../model/cidr.ts';
import type { Rule } from '../../../program/rule.ts';
import { exactly } from './passing-packet.ts';

/** No client that a router forwards packets for has an address of these (RFC 6890): loopback, link-local, multicast, … */
const NOBODY: Readonly<Record<Family, readonly string[]>> = {
  4: ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  6: ['::/128', '::1/128', 'fe80::/10', 'ff00::/8'],
};

/** All addresses that clients of the rule can have, but the target's own. */
export function clientsOf({ internal, sources }: Pick<Rule, 'internal' | 'sources'>): Intervals {
  const { family } = internal;
  const allowed = sources.length > 0 ? sources.map(intervalOf) : [addressSpace(family)];
  const nobody = NOBODY[family].map(parseCidr).map(intervalOf);
  return subtract(allowed, [...nobody, ...exactly(addressValue(internal))]);
}

function intervalOf({ first, last }: Interval): Interval {
  return { first, last };
}
