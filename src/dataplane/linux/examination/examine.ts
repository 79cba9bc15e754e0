import type { Kernel, Links } from '../../../kernel/kernel.ts';
import type { Address, Family } from '../../../model/address.ts';
import type { Counters } from '../../../model/counters.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Gateways } from '../../../model/router.ts';
import type { InstanceFacts, RuleFacts, WayFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { takeTurns } from '../../turns.ts';
import type { BackendName } from '../backend.ts';
import type { Flow } from '../firewall/flow-packets.ts';
import { readBaseChains } from '../firewall/hooks.ts';
import { travel } from '../firewall/journey.ts';
import { readForeignRules } from '../foreign-rules.ts';
import type { RouterSides } from '../namespaces.ts';
import { insideInterfaces, outsideInterfaces } from '../sides.ts';
import { readRoutingRules } from './routes.ts';
import { examineTarget } from './target.ts';
import { readWays } from './ways.ts';

type Asked = Pick<Kernel, 'settings' | 'flowUsage' | 'run' | 'othersTables'>;

/** A namespace that is attached, as the data plane knows it. */
export interface Examined {
  readonly id: string;
  readonly backend: BackendName;
  readonly sides: RouterSides;
  readonly links: Links;
  readonly gateways: Gateways;
  /** Of what is in the kernel. */
  readonly counters: ReadonlyMap<ForwardId, Counters>;
}

/** In ms: a client waits for the answer. */
const RULES_WITHIN = 5_000;

const FORWARDING = { 4: 'ipv4/ip_forward', 6: 'ipv6/conf/all/forwarding' } as const;
/** networking/ip-sysctl.rst: the larger one of an interface's own and that of all counts; 1: strict. */
const reversePath = (name: string) => `ipv4/conf/${name}/rp_filter`;

/** Looks at a namespace, and at what it does with these rules. `probe`: their targets are asked, too. */
export async function examine(
  kernel: Asked,
  examined: Examined,
  rules: readonly Rule[],
  probe: boolean,
): Promise<InstanceFacts> {
  const { id, backend, sides, links, gateways, counters } = examined;
  const names = links.interfaces.map(({ name }) => name);
  const settings = await kernel.settings(id, [...Object.values(FORWARDING), ...['all', ...names].map(reversePath)]);
  const outside = (family: Family) => outsideInterfaces(links, sides, family).map(({ name }) => name);
  const foreign = rules.length === 0 ? null : await readForeignRules(kernel, id, { within: RULES_WITHIN });
  const chains = readBaseChains(foreign ?? { dumps: [], nft: null });
  const routingRules = await readRules(kernel, id, rules);
  const inside = insideInterfaces(links, sides).map(({ name }) => name);
  const ways = await readWays(kernel, id, rules, links, { outside, inside });
  const found = new Map<ForwardId, RuleFacts>();
  const turn = takeTurns();
  for (const rule of rules) {
    await turn();
    const way = ways.get(rule.forward);
    if (way === undefined) continue;
    const isRuled = routingRules[rule.internal.family].length > 0;
    found.set(rule.forward, {
      rule,
      hasAddress: hasAddress(links, rule.external),
      connections: counters.get(rule.forward)?.connections ?? null,
      way,
      ...travel(chains, flowOf(rule, way, isRuled), backend),
      target: probe ? await examineTarget(kernel, id, rule, way) : null,
    });
  }
  const strict = (name: string) =>
    Math.max(...['all', name].map((one) => Number(settings.get(reversePath(one)) ?? 0))) === 1;
  return {
    instance: id,
    gateways,
    outside: { 4: outside(4), 6: outside(6) },
    forwarding: { 4: isOn(settings.get(FORWARDING[4])), 6: isOn(settings.get(FORWARDING[6])) },
    flows: await kernel.flowUsage(id),
    strictReversePath: names.filter(strict),
    routingRules,
    unread: foreign?.unread ?? [],
    rules: found,
  };
}

/** Of the families that the rules have. */
async function readRules(kernel: Asked, id: string, rules: readonly Rule[]): Promise<InstanceFacts['routingRules']> {
  const ofFamily = async (family: Family) => {
    const isNeeded = rules.some(({ internal }) => internal.family === family);
    return isNeeded ? await readRoutingRules(kernel, id, family) : [];
  };
  return { 4: await ofFamily(4), 6: await ofFamily(6) };
}

/** Where rules for routing go by more than the destination, interfaces are those of some packets only. */
function flowOf(rule: Rule, { arrivesBy, toTarget, isLocal, toClient }: WayFacts, isRuled: boolean): Flow {
  const [first, ...others] = arrivesBy;
  const outside = first === undefined || others.length > 0 ? null : first;
  const isBeyond = isRuled || 'failure' in toTarget;
  // Without a route to clients anywhere, there is one to those who are neighbours.
  const back = 'failure' in toClient ? outside : toClient.interface;
  return { rule, outside, inside: isBeyond ? null : toTarget.interface, isLocal, answersBy: isRuled ? null : back };
}

function isOn(value: string | undefined): boolean | null {
  return value === undefined ? null : value !== '0';
}

function hasAddress({ interfaces }: Links, wanted: Address): boolean {
  return interfaces.some(({ addresses }) => addresses.some(({ address }) => address.text === wanted.text));
}
