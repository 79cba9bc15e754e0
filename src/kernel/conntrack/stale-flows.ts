import type { Address } from '../../model/address.ts';
import type { AddressSpan } from '../../model/cidr.ts';
import { innerPort, type PortRange, portCount, samePorts } from '../../model/port-range.ts';
import { countFlows, deleteFlows, type FlowFilter, findFlows } from './ctnetlink.ts';
import { type AboutFlows, type Flow, indexByFlow, rawAddress, spanContains } from './flow.ts';

/** Where flows to some ports are led. */
export interface FlowRule extends AboutFlows {
  /** Of whom; `null`: of anyone. */
  readonly source: AddressSpan | null;
  readonly target: Address;
  /** The ports of the target, as `innerPort` has them. */
  readonly targetPorts: PortRange;
}

/** What has changed in where flows are led. */
export interface FlowChange {
  /** Those that are gone, but for those whose flows are to go on until they end by themselves. */
  readonly removed: readonly FlowRule[];
  readonly added: readonly FlowRule[];
}

/** So many flows are told and looked at in the time that the kernel takes to go through its table. */
const FLOWS_PER_WALK = 5_000;

/**
 * Ends the flows of the namespace of the netfilter socket that a change leaves behind: those to the target of a rule that
 * is gone, which would go there for ever; and those that were led nowhere before there was a new rule, which would never
 * get there. What has been led elsewhere goes on: somebody else's flows, and those of a rule that was gone before.
 * Gives how many. In a namespace without flows it costs one look.
 */
export function endStaleFlows(fd: number, change: FlowChange): number {
  const rules = [...change.removed, ...change.added];
  if (rules.length === 0) return 0;
  const present = countFlows(fd);
  if (present === 0) return 0;
  const isStale = judgement(change);
  let ended = 0;
  for (const filter of filtersFor(rules, present)) {
    const stale = findFlows(fd, filter, isStale);
    deleteFlows(fd, filter.family, stale);
    ended += stale.length;
  }
  return ended;
}

/**
 * What to ask for so that the kernel tells of all flows that the rules are about: of each place on its own, or where
 * there are more of them than that is worth, of each family's together.
 */
function filtersFor(rules: readonly FlowRule[], present: number): readonly FlowFilter[] {
  const places = [...Map.groupBy(rules, placeOf).values()];
  const families = [...Map.groupBy(rules, ({ destination }) => destination.family).values()];
  const isMany = places.length - families.length > present / FLOWS_PER_WALK;
  return (isMany ? families : places).flatMap(filterFor);
}

/** What can be asked for on its own: not one address of IPv6. */
function placeOf({ destination, protocol }: FlowRule): string {
  return destination.family === 4 ? `${destination.text} ${protocol}` : `${protocol}`;
}

/** By what all rules of one family have in common. */
function filterFor(rules: readonly FlowRule[]): readonly FlowFilter[] {
  const [first] = rules;
  if (first === undefined) return [];
  const { protocol, destination, ports } = first;
  const isOneProtocol = rules.every((rule) => rule.protocol === protocol);
  const isOnePort = rules.every((rule) => rule.ports.first === ports.first && rule.ports.last === ports.first);
  return [
    {
      family: destination.family,
      protocol: isOneProtocol ? protocol : null,
      destination: rules.every((rule) => rule.destination.text === destination.text) ? destination : null,
      port: isOneProtocol && isOnePort ? ports.first : null,
    },
  ];
}

/** Whether a flow is one that the change leaves behind. */
function judgement({ removed, added }: FlowChange): (flow: Flow) => boolean {
  const [before, after] = [indexByFlow(removed.map(aimed)), indexByFlow(added.map(aimed))];
  return (flow) => {
    if (after(flow, (rule) => isFrom(rule, flow) && isLedBy(rule, flow)) !== undefined) return false;
    const mayLead = (rule: AimedRule) => isFrom(rule, flow) && mayHaveLed(rule, flow);
    const leader = before(flow, mayLead);
    if (leader !== undefined) {
      return after(flow, (rule) => mayLead(rule) && shiftOf(rule) === shiftOf(leader)) === undefined;
    }
    return isLedNowhere(flow) && after(flow, (rule) => isFrom(rule, flow)) !== undefined;
  };
}

interface AimedRule extends FlowRule {
  /** The target, as flows have it. */
  readonly aim: string;
}

function aimed(rule: FlowRule): AimedRule {
  return { ...rule, aim: rawAddress(rule.target) };
}

function isFrom({ source }: FlowRule, flow: Flow): boolean {
  return source === null || spanContains(source, flow.source);
}

function isLedBy({ aim, ports, targetPorts }: AimedRule, flow: Flow): boolean {
  return aim === flow.target && innerPort(ports, targetPorts, flow.port) === flow.targetPort;
}

/** Or to another port of those that a range is shifted to: what Linux takes where the right one is in use by the same client. */
function mayHaveLed(rule: AimedRule, flow: Flow): boolean {
  const { aim, ports, targetPorts } = rule;
  if (portCount(targetPorts) === 1 || samePorts(ports, targetPorts)) return isLedBy(rule, flow);
  return aim === flow.target && targetPorts.first <= flow.targetPort && flow.targetPort <= targetPorts.last;
}

function shiftOf({ ports, targetPorts }: FlowRule): number {
  return targetPorts.first - ports.first;
}

/** It came to the router, or went through it, untranslated. */
function isLedNowhere({ destination, port, target, targetPort }: Flow): boolean {
  return target === destination && targetPort === port;
}
