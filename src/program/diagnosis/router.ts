import type { Family } from '../../model/address.ts';
import { type Finding, finding, type Subject } from '../../model/findings.ts';
import type { FlowUsage } from '../../model/flow-usage.ts';
import { type Forward, GATEWAY } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import { HOST_ROUTER, type RouterId } from '../../model/router.ts';
import { forwardStatus, type RouterStatus } from '../../model/status.ts';
import type { InstanceFacts } from '../facts.ts';

/** What is wanted of a router, and what its node has told of it. */
export interface RouterKnowledge {
  readonly router: RouterId;
  /** All of them, or the one that is asked about. */
  readonly forwards: readonly Forward[];
  /** `null`: it has told nothing yet. */
  readonly status: RouterStatus | null;
  /** What has expired by then is not wanted, as `printTime` gives it. */
  readonly now: string;
}

const FAMILIES: readonly Family[] = [4, 6];
/** Shares of the limit, in percent. */
const [NEARLY_FULL, FULL] = [80, 98];

/** What is to be said of one instance of a router as such. Families that no forward needs are left out. */
export function diagnoseInstance(knowledge: RouterKnowledge, facts: InstanceFacts): readonly Finding[] {
  const { router, forwards, now } = knowledge;
  const subject: Subject = { router, instance: facts.instance, forward: null };
  const wanted = forwards.filter((forward) => forward.enabled && (forward.expiresAt ?? '~') > now);
  const families = FAMILIES.filter((family) => wanted.some(({ internalAddress }) => internalAddress.family === family));
  // What is for the router itself is delivered, and not forwarded.
  const forwarded = wanted.filter(({ id }) => facts.rules.get(id)?.way.isLocal !== true);
  return [
    ...families.flatMap((family) => forwarding(subject, family, forwarded, facts)),
    ...families.flatMap((family) => gateway(subject, family, wanted, facts)),
    ...tracking(subject, facts.flows),
    ...facts.unread.map((reason) => finding(subject, 'rules_unread', { reason })),
  ];
}

/** What the node says of the router: that it fails, that some forwards are not active, or what others' rules are to them. */
export function diagnoseStatus({ router, forwards, status, now }: RouterKnowledge): readonly Finding[] {
  if (status === null) return [];
  const subject: Subject = { router, instance: null, forward: null };
  const orphaned =
    status.orphaned === undefined ? [] : [finding(subject, 'forwards_orphaned', { count: status.orphaned })];
  if (status.error !== null) return [...orphaned, finding(subject, 'router_failing', { reason: status.error })];
  const groups = new Map<
    string,
    { readonly first: Forward; readonly state: string; readonly reason: string; count: number }
  >();
  for (const forward of forwards) {
    const { state, message } = forwardStatus(forward, [status], now);
    if (state !== 'error' && state !== 'pending') continue;
    const reason = message ?? '';
    const group = groups.get(`${state} ${reason}`) ?? { first: forward, state, reason, count: 0 };
    group.count++;
    groups.set(`${state} ${reason}`, group);
  }
  const inactive = [...groups.values()].map(({ first, state, reason, count }) =>
    finding(subject, 'forwards_inactive', { count, state, reason, forward: first.name ?? first.id }),
  );
  return [...orphaned, ...inactive, ...overlaps(subject, status.warnings ?? {})];
}

/** What keeps one router from being looked at, which is no reason to say nothing of the others. */
export function diagnoseUnreadable(router: RouterId, reason: string): Finding {
  return finding({ router, instance: null, forward: null }, 'router_unreadable', { reason });
}

/** Each rule of others once, with the first forward that it has to do with: one rule can have to do with all of them. */
function overlaps(subject: Subject, warnings: NonNullable<RouterStatus['warnings']>): readonly Finding[] {
  const first = new Map<string, ForwardId>();
  for (const [forward, texts] of Object.entries(warnings)) {
    for (const warning of texts) if (!first.has(warning)) first.set(warning, forward);
  }
  return Array.from(first, ([warning, forward]) => finding({ ...subject, forward }, 'rules_overlap', { warning }));
}

/** Before a command, so that it is done there. */
export function within(instance: string): string {
  return instance === HOST_ROUTER ? '' : `ip netns exec ${instance} `;
}

function forwarding(
  subject: Subject,
  family: Family,
  forwarded: readonly Forward[],
  { instance, forwarding: is }: InstanceFacts,
): readonly Finding[] {
  const setting = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
  if (is[family] === null) return [finding(subject, 'family_absent', { family })];
  if (is[family]) return [finding(subject, 'forwarding_on', { family })];
  if (!forwarded.some(({ internalAddress }) => internalAddress.family === family)) return [];
  return [finding(subject, 'forwarding_off', { family, setting, within: within(instance) })];
}

/** Only forwards that follow the gateway need one. */
function gateway(
  subject: Subject,
  family: Family,
  wanted: readonly Forward[],
  { instance, outside, gateways }: InstanceFacts,
): readonly Finding[] {
  const interfaces = outside[family].join(', ');
  const address = gateways[family]?.text;
  if (outside[family].length === 0) return [finding(subject, 'outside_missing', { family, within: within(instance) })];
  if (address !== undefined) return [finding(subject, 'gateway_present', { family, address, interfaces })];
  const follows = wanted.some(
    ({ externalAddress, internalAddress }) => externalAddress === GATEWAY && internalAddress.family === family,
  );
  return follows ? [finding(subject, 'gateway_missing', { family, interfaces })] : [];
}

/** Nothing where there is no limit. */
function tracking(subject: Subject, { entries, limit }: FlowUsage): readonly Finding[] {
  if (limit === null || limit === 0) return [];
  const percent = (100 * entries) / limit;
  if (percent < NEARLY_FULL) return [finding(subject, 'conntrack_roomy', { count: entries, limit })];
  const code = percent < FULL ? 'conntrack_nearly_full' : 'conntrack_full';
  return [finding(subject, code, { count: entries, limit, more: 2 * limit })];
}
