import type { AdoptionOptions, ForeignRule, LeftForeignRule } from '../model/adoption.ts';
import { type Forward, type ForwardSpec, GATEWAY, parseForwardSpec } from '../model/forward.ts';
import type { Gateways, OutsideAddress, RouterId } from '../model/router.ts';
import { effectOf } from './forward-effect.ts';
import { forwardsOfDump } from './iptables-forwards.ts';
import { translates } from './iptables-rule.ts';
import { readNftChains, readNftRules } from './nft-ruleset.ts';
import { type Hook, hooksOf, nativeChains } from './rule-hooks.ts';
import { isOurChain, OUR_CHAINS, ownerOfRule, ownerOfTable } from './rule-owners.ts';
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
  /** All of its addresses on outside interfaces. */
  readonly addresses: readonly OutsideAddress[];
  /** The router's forwards. */
  readonly existing: readonly Forward[];
  /** The priority at which forwards are translated: what comes before that is met as before. */
  readonly priority: number;
}

/** A forward, and all rules that it stands for. */
export interface FoundForward {
  readonly spec: ForwardSpec;
  readonly rules: readonly ForeignRule[];
  /** Rules of other hooks that may have its packets first, or do something to them there that they would not meet any more. */
  readonly rivals: readonly Rival[];
  /** Rules that report its packets, and which these no longer meet. */
  readonly bypassed: readonly ForeignRule[];
}

export interface Rival {
  /** As its name tells it: `iptables-legacy (nat)`. */
  readonly hook: string;
  readonly text: string;
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
  const { taken, left, bypassed, owners } = forwardsOfDump(others, {
    file: `${program}-save`,
    router: request.router,
    gateways: request.followGateway ? request.gateways : {},
    addresses: request.addresses,
    allAddresses: request.allAddresses,
    outside: request.outside,
    ownerOf: ownerOfRule,
  });
  const ruleAt = createRules(id, program, lines);
  const rivals = createTakers(hooks.filter((hook) => isRival(hook, program, request.priority)));
  return {
    forwards: taken.map(({ forward, lines: numbers }) => {
      const spec = parseForwardSpec(forward);
      const own = bypassed
        .filter(({ by }) => by.some((line) => numbers.includes(line)))
        .map(({ line }) => ruleAt(line));
      const beside = besideOf(id, spec, rivals, request.gateways);
      return { spec, rules: numbers.map(ruleAt), ...beside, bypassed: [...own, ...beside.bypassed] };
    }),
    left: left.map(({ line, text: rule, reason }) => ({
      ...ruleAt(line),
      text: rule,
      reason: withRules(reason, lines),
    })),
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

/** Whether its rules are met between the place of forwards and that of the program's own rules, or beside these. */
function isRival(hook: Hook, program: string, priority: number): boolean {
  return hook.name !== natHook(program) && hook.priority > priority && hook.priority <= DSTNAT;
}

function natHook(program: string): string {
  return `${program} (nat)`;
}

/** What other hooks do to its packets. */
function besideOf(
  id: string,
  spec: ForwardSpec,
  rivals: Takers,
  gateways: Gateways,
): Pick<FoundForward, 'rivals' | 'bypassed'> {
  const { internalAddress, externalAddress, protocol, externalPorts, sources } = spec;
  const external = externalAddress === GATEWAY ? gateways[internalAddress.family] : externalAddress;
  if (external === undefined) return { rivals: [], bypassed: [] };
  const packets = packetsOf({ protocol, external, externalPorts, sources });
  const takings = rivals.of(packets).map(({ hook, visit: { rule } }) => ({ hook, rule }));
  const passing = rivals.passing(packets);
  const changing = passing.filter(({ effect }) => effect === 'changes');
  const observing = passing.filter(({ effect }) => effect === 'observes');
  return {
    rivals: [...takings, ...changing]
      .filter(({ rule }) => !isOurChain(rule.chain))
      .map(({ hook, rule }) => ({ hook: hook.name, text: rule.text })),
    bypassed: observing.map(({ hook, rule }) => ({ instance: id, program: hook.name, text: rule.text })),
  };
}

/** Two programs, or two places, may have rules that do the same: they are one forward, and no rivals. */
function merge(forwards: readonly FoundForward[], gateways: Gateways): readonly FoundForward[] {
  const merged = new Map<string, FoundForward>();
  for (const forward of forwards) {
    const key = effectOf(forward.spec, gateways);
    const same = merged.get(key);
    merged.set(key, {
      spec: same?.spec ?? forward.spec,
      rules: [...(same?.rules ?? []), ...forward.rules],
      rivals: [...(same?.rivals ?? []), ...forward.rivals],
      bypassed: [...(same?.bypassed ?? []), ...forward.bypassed],
    });
  }
  return [...merged.values()].map((forward) => {
    const isOwn = ({ hook, text }: Rival) =>
      forward.rules.some((rule) => rule.text === text && natHook(rule.program) === hook);
    return { ...forward, rivals: forward.rivals.filter((rival) => !isOwn(rival)) };
  });
}

/** What was made by nft itself, or mixed with that, so that iptables cannot print it. */
function ofNft({ id, texts }: Instance): Omit<FoundForwards, 'forwards'> {
  const left: LeftForeignRule[] = [];
  const owners: string[] = [];
  if (texts.nft === null) return { left, owners };
  for (const chain of nativeChains(readNftChains(texts.nft), texts.dumps)) {
    for (const [at, rule] of chain.rules.entries()) {
      const isIptables = JSON.stringify(rule.statements).includes('"type":"target"');
      const meant = readNftRules(rule, chain, chain.family === 'ip6' ? 6 : 4, at + 1);
      const isTranslating = isIptables
        ? /\bdnat to\b|\bredirect\b/.test(rule.text)
        : meant.some(({ target }) => translates(target));
      if (!isTranslating) continue;
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
