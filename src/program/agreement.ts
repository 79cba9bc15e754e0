import { printEndpoint } from '../model/address.ts';
import type { KernelStep, KernelWay, Observation, PacketEnds } from '../model/observation.ts';
import type { Endpoint } from './explain.ts';

const NO_RULE =
  'what is no rule of nftables, such as routing without a route or with forwarding off, the filter for reversed paths, or a queue,';

/**
 * Whether a kernel did with a packet what the explanation says: that it goes to this target, or (`null`) that no forward
 * changes where it goes, and nothing of what others do with it then. `null`: it did; otherwise what it did instead, as a clause.
 */
export function disagreement(target: Endpoint | null, { arrived, outcome, left, steps }: KernelWay): string | null {
  if (target === null) {
    if (left === null || sameDestination(left, arrived)) return null;
    return `it went to ${printDestination(left)}, though no forward takes it`;
  }
  const wanted = printEndpoint(target.address.text, target.port);
  if (outcome === 'dropped') return `it was dropped by ${describePlace(steps.at(-1))} instead of going to ${wanted}`;
  if (left === null) {
    return `it did not leave for ${wanted}: ${NO_RULE} took it`;
  }
  const reached = printDestination(left);
  return reached === wanted ? null : `it went to ${reached} instead of ${wanted}`;
}

/** What became of a packet and of its answer, as a whole. */
export interface WholeVerdict {
  /** Whether both got where they belong; `null`: no answer was seen, so it is not known. */
  readonly gotThrough: boolean | null;
  /** One sentence or two: whether the kernel did as the program says, and whether packet and answer got through. */
  readonly text: string;
}

/** `target`: where the explanation has the packet go; `null`: no forward takes it. */
export function verdictOn(target: Endpoint | null, { way, reply }: Pick<Observation, 'way' | 'reply'>): WholeVerdict {
  const difference = disagreement(target, way);
  if (difference !== null) {
    const text = `The kernel did something else than what was compiled: ${difference}.`;
    return { gotThrough: way.left === null ? false : reply && isAnswered(way, reply), text };
  }
  const asCompiled = 'The kernel did as compiled';
  if (way.left === null) {
    return {
      gotThrough: false,
      text: `${asCompiled}: no forward takes the packet. It did not get through: ${describeEnd(way)}.`,
    };
  }
  if (reply === null) {
    return {
      gotThrough: null,
      text: `${asCompiled} with the packet. Whether the target answers is not known: no answer came to the router.`,
    };
  }
  if (reply.left === null) {
    return {
      gotThrough: false,
      text: `${asCompiled} with the packet, but its answer did not get through: ${describeEnd(reply)}.`,
    };
  }
  if (!isAnswered(way, reply)) {
    const [from, expected] = [printSource(reply.left), printDestination(way.arrived)];
    return {
      gotThrough: false,
      text: `${asCompiled} with the packet, but its answer left from ${from} instead of ${expected}: the client takes it for something else.`,
    };
  }
  return { gotThrough: true, text: `${asCompiled}: the packet and its answer got through.` };
}

/** Whether the client sees the answer come from where it sent the packet to. */
function isAnswered({ arrived }: KernelWay, { left }: KernelWay): boolean {
  return left !== null && left.source === arrived.destination && left.sourcePort === arrived.destinationPort;
}

/** Of a packet that has not left. */
function describeEnd({ outcome, steps }: KernelWay): string {
  if (outcome === 'dropped') return `it was dropped by ${describePlace(steps.at(-1)).replace(/,$/, '')}`;
  return `it was lost, since ${NO_RULE} took it`;
}

function printSource({ source, sourcePort }: PacketEnds): string {
  return printEndpoint(source, sourcePort);
}

function sameDestination(a: PacketEnds, b: PacketEnds): boolean {
  return a.destination === b.destination && a.destinationPort === b.destinationPort;
}

function printDestination({ destination, destinationPort }: PacketEnds): string {
  return printEndpoint(destination, destinationPort);
}

function describePlace(step: KernelStep | undefined): string {
  if (step === undefined) return 'a rule';
  const place = `chain ${step.chain} of table ${step.table}`;
  return step.rule === null ? `the policy of ${place}` : `a rule of ${place}, ${step.rule},`;
}
