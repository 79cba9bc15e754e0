import type { AdoptionOptions, ForeignRule, LeftForeignRule } from '../model/adoption.ts';
import { type Forward, type ForwardSpec, GATEWAY, parseForwardSpec, printForwardSpec } from '../model/forward.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import { forwardsOfDump, TRANSLATING } from './iptables-forwards.ts';
import { readNftChains, readNftRule } from './nft-ruleset.ts';
import { type Hook, hooksOf, nativeChains } from './rule-hooks.ts';
import { OUR_CHAINS, ownerOfRule, ownerOfTable } from './rule-owners.ts';
import { createTakers, packetsOf, type Takers } from './rule-takers.ts';
import type { IptablesDump, RuleTexts } from './rule-texts.ts';

/** One place where the router is, and the rules that others have there. */
export interface Instance {
  readonly id: string;
  readonly texts: RuleTexts;
}

export interface AdoptionRequest extends AdoptionOptions {
  readonly router: RouterId;
  /** The router's addresses now. */
  readonly gateways: Gateways;
  /** The router's forwards. */
  readonly existing: readonly Forward[];
  /** The priority at which forwards are translated: what comes before that is met as before. */
  readonly priority: number;
}

/** A forward, and all rules that it stands for. */
export interface FoundForward {
  readonly spec: ForwardSpec;
  readonly rules: readonly ForeignRule[];
  /** A rule that another program made and that may have its packets first; null: none. */
  readonly rival: string | null;
}

export interface FoundForwards {
  readonly forwards: readonly FoundForward[];
  readonly left: readonly LeftForeignRule[];
  readonly owners: readonly string[];
}

/** What the rules in all these places are as forwards, each program's for itself; what is the same is one forward. */
export function findForwards(instances: readonly Instance[], request: AdoptionRequest): FoundForwards {
  const found = instances.flatMap((instance) => {
    const hooks = hooksOf(instance.texts);
    const own = instance.texts.dumps.map((dump) => ofDump(instance.id, dump, hooks, request));
    return [...own, { forwards: [], ...ofNft(instance) }];
  });
  return {
    forwards: merge(
      found.flatMap(({ forwards }) => forwards),
      request.gateways,
    ),
    left: found.flatMap(({ left }) => left),
    owners: found.flatMap(({ owners }) => owners),
  };
}

function ofDump(id: string, dump: IptablesDump, hooks: readonly Hook[], request: AdoptionRequest): FoundForwards {
  const { program, text } = dump;
  const lines = text.split('\n');
  // Forwards themselves, where they are rules of iptables, are looked at as forwards.
  const others = lines.map((line) => (line.startsWith(`-A ${OUR_CHAINS}`) ? '' : line)).join('\n');
  const { taken, left, owners } = forwardsOfDump(others, {
    file: `${program}-save`,
    router: request.router,
    gateways: request.followGateway ? request.gateways : {},
    outside: request.outside,
    ownerOf: ownerOfRule,
  });
  const ruleAt = createRules(id, program, lines);
  const rivals = createTakers(hooks.filter((hook) => isRival(hook, program, request.priority)));
  return {
    forwards: taken.map(({ forward, lines: numbers }) => {
      const spec = parseForwardSpec(forward);
      return { spec, rules: numbers.map(ruleAt), rival: rivalOf(spec, rivals, request.gateways) };
    }),
    left: left.map(({ line, reason }) => ({ ...ruleAt(line), reason: withRules(reason, lines) })),
    owners,
  };
}

/** A file has lines for people to look up; what is in the kernel has none. */
function withRules(reason: string, lines: readonly string[]): string {
  return reason.replace(/\bline (\d+(?:, \d+)*)/, (_, numbers: string) => {
    const rules = numbers.split(', ').map((number) => lines[Number(number) - 1] ?? '');
    return `the rule ${rules.join(' and ')}`;
  });
}

/** The same rule for the same line. */
function createRules(instance: string, program: string, lines: readonly string[]): (line: number) => ForeignRule {
  const rules = new Map<number, ForeignRule>();
  return (line) => {
    const rule = rules.get(line) ?? { instance, program, text: lines[line - 1] ?? '' };
    rules.set(line, rule);
    return rule;
  };
}

/** linux/netfilter_ipv4.h: NF_IP_PRI_NAT_DST, where iptables' rules are. */
const DSTNAT = -100;

/** Whether it translates between the place of forwards and that of the program's own rules, or beside these. */
function isRival(hook: Hook, program: string, priority: number): boolean {
  return hook.isNat && hook.name !== `${program} (nat)` && hook.priority > priority && hook.priority <= DSTNAT;
}

function rivalOf(spec: ForwardSpec, rivals: Takers, gateways: Gateways): string | null {
  const { internalAddress, externalAddress, protocol, externalPorts, sources } = spec;
  const external = externalAddress === GATEWAY ? gateways[internalAddress.family] : externalAddress;
  if (external === undefined) return null;
  const [taking] = rivals.of(packetsOf({ protocol, external, externalPorts, sources }));
  return taking === undefined ? null : `a rule of ${taking.hook.name}: ${taking.visit.rule.text}`;
}

/** Two programs, or two places, may have the same rule; then its rival is its like. */
function merge(forwards: readonly FoundForward[], gateways: Gateways): readonly FoundForward[] {
  const merged = new Map<string, FoundForward>();
  for (const forward of forwards) {
    const key = keyOf(forward.spec, gateways);
    const same = merged.get(key);
    merged.set(key, same === undefined ? forward : { ...same, rules: [...same.rules, ...forward.rules] });
  }
  return [...merged.values()].map((forward) => {
    const isOwn = forward.rules.some(({ text }) => forward.rival?.endsWith(`: ${text}`) === true);
    return isOwn && forward.rules.length > 1 ? { ...forward, rival: null } : forward;
  });
}

function keyOf(spec: ForwardSpec, gateways: Gateways): string {
  const { external_address, ...rest } = printForwardSpec({ ...spec, description: null });
  const gateway = gateways[spec.internalAddress.family]?.text ?? GATEWAY;
  return JSON.stringify([external_address === GATEWAY ? gateway : external_address, rest]);
}

/** What was made by nft itself, or mixed with that, so that iptables cannot print it. */
function ofNft({ id, texts }: Instance): Omit<FoundForwards, 'forwards'> {
  const left: LeftForeignRule[] = [];
  const owners: string[] = [];
  if (texts.nft === null) return { left, owners };
  for (const chain of nativeChains(readNftChains(texts.nft), texts.dumps)) {
    for (const [at, rule] of chain.rules.entries()) {
      const isIptables = JSON.stringify(rule.statements).includes('"type":"target"');
      const { target } = readNftRule(rule, chain, chain.family === 'ip6' ? 6 : 4, at + 1);
      const translates = isIptables ? /\bdnat to\b|\bredirect\b/.test(rule.text) : TRANSLATING.includes(target.name);
      if (!translates) continue;
      const owner = ownerOfTable(chain.table) ?? ownerOfRule({ chain: chain.name, text: rule.text });
      const reason = isIptables
        ? 'there are rules of nft in its table, so that iptables cannot print it exactly'
        : 'it was made with nft, and only rules of iptables are taken over';
      const text = `${chain.family} ${chain.table} ${chain.name} ${rule.text}`;
      if (owner === null) left.push({ instance: id, program: 'nft', text, reason });
      else owners.push(owner);
    }
  }
  return { left, owners };
}
