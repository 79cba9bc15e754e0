import type { Family } from '../model/address.ts';
import type { Interval } from './intervals.ts';
import type { Target } from './iptables-rule.ts';
import { parsePortOrService } from './iptables-values.ts';

/** Where a DNAT rule sends packets; `ports` undefined: to the port they were sent to. */
export interface Destination {
  readonly address: string;
  readonly ports?: {
    readonly first: bigint;
    readonly last: bigint;
    /** The outside port that becomes the first one; null: the kernel chooses. */
    readonly base: bigint | null;
  };
  readonly isRandom: boolean;
}

/** `10.0.0.5`, `10.0.0.5:80`, `:8000-8003/9100`, `[fd00::5]:80`, `10.0.0.5-10.0.0.9`; ports also as names. */
const FORM =
  /^(?:\[([^\]]*)\]|([^:[\]]*)|([\da-f:.]*:[\da-f:.]*(?:-[\da-f:.]+)?))(?::([^:/-]+)(?:-([^:/-]+))?(?:\/([^:/-]+))?)?$/i;

/** A text says why no forward does what the target does. */
export function readDestination({ name, options }: Target, family: Family): Destination | string {
  if (name === 'REDIRECT') return 'REDIRECT leads to the router itself, a forward to a machine behind it';
  if (name === 'NETMAP') return 'NETMAP translates whole networks, a forward one address';
  const stranger = options.find((option) => !['--to-destination', '--random', '--persistent'].includes(option.name));
  if (stranger !== undefined) return `DNAT has the option ${stranger.name}, which is not known here`;
  const [text = '', ...more] = options.flatMap((option) => (option.name === '--to-destination' ? option.values : []));
  if (more.length > 0) return 'it leads to several destinations';
  const [whole, bracketed, four, six, first, last, base] = FORM.exec(text) ?? [];
  const addresses = (bracketed ?? four ?? six ?? '').split('-');
  const [address = '', end = address] = addresses;
  if (whole === undefined || address === '' || addresses.length > 2) return `--to-destination ${text} names no address`;
  if (address !== end) return `it spreads connections over the addresses ${address} to ${end}`;
  if (address.includes(':') !== (family === 6)) return `--to-destination ${text} is of another address family`;
  const isRandom = options.some((option) => option.name === '--random');
  if (first === undefined) return { address, isRandom };
  const [from, to, start] = [first, last ?? first, base ?? first].map(parsePortOrService);
  if (from === undefined || to === undefined || start === undefined || from === null || to === null || start === null) {
    return `--to-destination ${text} has a port that only iptables can tell`;
  }
  if (to < from) return `--to-destination ${text} has ports in descending order`;
  return { address, ports: { first: from, last: to, base: base === undefined ? null : start }, isRandom };
}

/** Which inner ports the outside ones become, if in order or all the same one; a text says why a forward cannot do it. */
export function innerPorts({ ports, isRandom }: Destination, outer: Interval): Interval | string {
  if (ports === undefined) return outer;
  if (ports.first === ports.last) return { first: ports.first, last: ports.last };
  const range = `${ports.first}-${ports.last}`;
  if (isRandom) return `--random chooses among the ports ${range}`;
  if (ports.base === null) {
    // A port that is within the range already is kept (nf_nat_core.c, get_unique_tuple).
    if (outer.first >= ports.first && outer.last <= ports.last) return outer;
    return `without an offset behind them the kernel chooses among the ports ${range}`;
  }
  const shift = ports.first - ports.base;
  const inner = { first: outer.first + shift, last: outer.last + shift };
  if (inner.first >= ports.first && inner.last <= ports.last) return inner;
  return `the ports ${outer.first}-${outer.last} do not fit into ${range}/${ports.base}, and would begin anew in it`;
}
