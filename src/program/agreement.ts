import { printEndpoint } from '../model/address.ts';
import type { KernelStep, KernelWay, PacketEnds } from '../model/observation.ts';
import type { Endpoint } from './explain.ts';

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
    return `it did not leave for ${wanted}: what is no rule of nftables took it, such as routing without a route or with forwarding off, the filter for reversed paths, or a queue`;
  }
  const reached = printDestination(left);
  return reached === wanted ? null : `it went to ${reached} instead of ${wanted}`;
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
