import { hatobaError } from './errors.ts';

/** Ports from `first` to `last`, both included; a single port has both alike. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `5001` or `5001-5010`. Errors: `port_…`. */
export function parsePortRange(text: string): PortRange {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text);
  if (match === null) throw hatobaError('port_malformed', { value: text });
  const first = parsePort(match[1] ?? '', text);
  const last = match[2] === undefined ? first : parsePort(match[2], text);
  if (last < first) throw hatobaError('port_range_reversed', { value: text, reversed: `${last}-${first}` });
  return Object.freeze({ first, last });
}

/** Reads one port. Errors: `port_…`. */
export function parseSinglePort(text: string): number {
  const { first, last } = parsePortRange(text);
  if (first !== last) throw hatobaError('port_not_single', { value: text });
  return first;
}

export function printPortRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

export function portCount({ first, last }: PortRange): number {
  return last - first + 1;
}

export function samePorts(a: PortRange, b: PortRange): boolean {
  return a.first === b.first && a.last === b.last;
}

export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Where a port of the outer range leads: as far from the first of the inner one, or to the one that there is. */
export function innerPort(outer: PortRange, inner: PortRange, port: number): number {
  return inner.first === inner.last ? inner.first : inner.first + (port - outer.first);
}

/** The range in as few parts as can be of which each has 2ⁿ ports, the first of them a multiple of 2ⁿ: 30 at most. */
export function alignedBlocks({ first, last }: PortRange): readonly PortRange[] {
  const blocks: PortRange[] = [];
  for (let start = first; start <= last; ) {
    let size = 1;
    while (start % (2 * size) === 0 && start + 2 * size - 1 <= last) size *= 2;
    blocks.push({ first: start, last: start + size - 1 });
    start += size;
  }
  return blocks;
}

function parsePort(text: string, whole: string): number {
  if (text.length > 1 && text.startsWith('0')) throw hatobaError('port_malformed', { value: whole });
  const port = Number(text);
  if (port < 1 || port > 65535) throw hatobaError('port_out_of_range', { value: text });
  return port;
}
