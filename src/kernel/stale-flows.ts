import type { Address } from '../model/address.ts';
import { type AddressSpan, cidrContains } from '../model/cidr.ts';
import type { PortRange } from '../model/port-range.ts';
import { countFlows, deleteFlows, type Flow, readFlows } from './ctnetlink.ts';

/** Where flows to some ports are led. */
export interface FlowRule {
  readonly protocol: number;
  readonly destination: Address;
  readonly ports: PortRange;
  /** Of whom; `null`: of anyone. */
  readonly source: AddressSpan | null;
  readonly target: Address;
  /** The port of the target; `null`: the one that the flow came to. */
  readonly targetPort: number | null;
}

/** What has changed in where flows are led. */
export interface FlowChange {
  /** Those that are gone, but for those whose flows are to go on until they end by themselves. */
  readonly removed: readonly FlowRule[];
  readonly added: readonly FlowRule[];
}

/**
 * Ends the flows of the namespace of the netfilter socket that a change leaves behind: those to the target of a rule that
 * is gone, which would go there for ever; and those that were led nowhere before there was a new rule, which would never
 * get there. What has been led elsewhere goes on: somebody else's flows, and those of a rule that was gone before.
 * Gives how many. In a namespace without flows it costs one look.
 */
export function endStaleFlows(fd: number, { removed, added }: FlowChange): number {
  if (removed.length + added.length === 0 || countFlows(fd) === 0) return 0;
  const [before, after] = [indexOf(removed), indexOf(added)];
  let ended = 0;
  for (const [place, rules] of Map.groupBy([...removed, ...added], placeOf)) {
    const [first] = rules;
    if (first === undefined) continue;
    const { destination, protocol } = first;
    const stale = readFlows(fd, destination, protocol, onlyPortOf(rules)).filter((flow) => {
      const now = after(place, flow);
      if (now.some((rule) => leads(rule, flow))) return false;
      if (before(place, flow).some((rule) => leads(rule, flow))) return true;
      return now.length > 0 && isLedNowhere(flow, destination);
    });
    deleteFlows(fd, destination.family, stale);
    ended += stale.length;
  }
  return ended;
}

/** The port that all are about, if it is only one. */
function onlyPortOf(rules: readonly FlowRule[]): number | null {
  const ports = new Set(rules.flatMap(({ ports: { first, last } }) => [first, last]));
  const [port = null] = ports;
  return ports.size === 1 ? port : null;
}

/** The rules that are about a flow to this place. Single ports are looked up; only ranges are gone through. */
function indexOf(rules: readonly FlowRule[]): (place: string, flow: Flow) => readonly FlowRule[] {
  const [single, wide] = [new Map<string, FlowRule[]>(), new Map<string, FlowRule[]>()];
  for (const rule of rules) {
    const place = placeOf(rule);
    if (rule.ports.first === rule.ports.last) push(single, `${place} ${rule.ports.first}`, rule);
    else push(wide, place, rule);
  }
  return (place, flow) =>
    [...(single.get(`${place} ${flow.port}`) ?? []), ...(wide.get(place) ?? [])].filter((rule) => isAbout(rule, flow));
}

function placeOf({ destination, protocol }: FlowRule): string {
  return `${destination.text} ${protocol}`;
}

function push(lists: Map<string, FlowRule[]>, key: string, rule: FlowRule): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [rule]);
  else list.push(rule);
}

function isAbout({ ports, source }: FlowRule, flow: Flow): boolean {
  const isFrom = source === null || cidrContains(source, flow.source);
  return isFrom && ports.first <= flow.port && flow.port <= ports.last;
}

function leads(rule: FlowRule, { port, target, targetPort }: Flow): boolean {
  return rule.target.text === target.text && (rule.targetPort ?? port) === targetPort;
}

/** It came to the router, or went through it, untranslated. */
function isLedNowhere({ port, target, targetPort }: Flow, destination: Address): boolean {
  return target.text === destination.text && targetPort === port;
}
