import type { Passage, RuleFacts } from '../../../program/facts.ts';
import type { BackendName } from '../backend.ts';
import { TRANSLATE } from '../iptables/rules.ts';
import { FORWARD_PRIORITY } from '../nftables/layout.ts';
import { type Bits, eitherBits, UNKNOWN_BITS } from './bits.ts';
import { type Flow, hooksOf, isAnswer, NO_MARKS, type Progress, packetAt, type Sent } from './flow-packets.ts';
import { type BaseChain, type BaseChains, CONNTRACK, type Hook, NAT } from './hooks.ts';
import { type PassingPacket, some, type Truth } from './passing-packet.ts';
import { type Ending, type Outcome, walk } from './walk.ts';

/** What one packet carries from chain to chain. */
interface Carried {
  readonly mark: Bits;
  readonly connectionMark: Bits;
  readonly snat: Truth;
}

interface Passed {
  readonly carried: Carried;
  readonly passages: readonly Passage[];
}

/** What others' rules do to the packets of one flow, in the order in which these are sent. */
export function travel(
  base: BaseChains,
  flow: Flow,
  backend: BackendName,
): Pick<RuleFacts, 'passages' | 'translatesSource'> {
  const passages: Passage[] = [];
  let carried: Carried = { ...NO_MARKS, snat: 'no' };
  for (const sent of ROUNDS) {
    const passed = pass(base, flow, backend, sent, { ...carried, mark: NO_MARKS.mark });
    carried = passed.carried;
    passages.push(...passed.passages.filter((passage) => !passages.some((before) => isNoNews(before, passage))));
  }
  return { passages, translatesSource: carried.snat === 'maybe' ? 'unclear' : carried.snat };
}

/** Twice what comes later, since rules can mark a connection by what it has been marked with before. */
const ROUNDS: readonly Sent[] = ['first', 'answer', 'later', 'later-answer', 'later', 'later-answer'];

/** Whether it is known already what a chain does to packets of a direction: once they are stopped, it is no news that later ones are. */
function isNoNews(before: Passage, passage: Passage): boolean {
  const isAnswers = (packet: Passage['packet']) => packet === 'answer';
  if (before.chain !== passage.chain || isAnswers(before.packet) !== isAnswers(passage.packet)) return false;
  return before.outcome === passage.outcome || before.outcome === 'drop' || passage.outcome === 'accept';
}

function pass(base: BaseChains, flow: Flow, backend: BackendName, sent: Sent, begin: Carried): Passed {
  let carried = begin;
  const passages: Passage[] = [];
  for (const hook of hooksOf(sent, flow)) {
    const chains = base.chains.filter(
      (chain) => chain.hook === hook && chain.families.includes(flow.rule.external.family),
    );
    for (const group of groupsOf(chains, sent)) {
      const passed = group.every(({ isNat }) => isNat)
        ? passNat(group, flow, backend, hook, carried)
        : passGroup(group, flow, sent, carried);
      carried = passed.carried;
      passages.push(...passed.passages);
    }
  }
  return { carried, passages: base.offloads && sent !== 'first' ? passages.map(perhapsOffloaded) : passages };
}

/** Chains at one priority, whose order depends on which was made first; those that translate are one group. */
function groupsOf(chains: readonly BaseChain[], sent: Sent): readonly (readonly BaseChain[])[] {
  const filters = [
    ...Map.groupBy(
      chains.filter(({ isNat }) => !isNat),
      ({ priority }) => priority,
    ).values(),
  ];
  const nat = sent === 'first' ? chains.filter(({ isNat }) => isNat) : [];
  if (nat.length === 0) return filters;
  const at = natPriority(nat[0]?.hook ?? 'prerouting');
  const before = filters.filter(([chain]) => (chain?.priority ?? 0) <= at);
  return [...before, nat, ...filters.slice(before.length)];
}

/** At which the kernel asks all chains of type nat, whatever their own priorities are (nf_nat_register_fn). */
function natPriority(hook: Hook): number {
  return hook === 'postrouting' || hook === 'input' ? NAT.source : NAT.destination;
}

/** Which comes first is not known where several chains have one priority: all orders, up to so many chains. */
const MOST_ORDERED = 3;

function passGroup(group: readonly BaseChain[], flow: Flow, sent: Sent, before: Carried): Passed {
  const isMany = group.length > MOST_ORDERED;
  const begin = isMany ? { ...before, mark: UNKNOWN_BITS, connectionMark: UNKNOWN_BITS } : before;
  const orders = (isMany ? [group] : ordersOf(group)).map((order) => passInOrder(order, flow, sent, begin));
  const passages = Map.groupBy(
    orders.flatMap((order) => order.passages),
    ({ chain }) => chain,
  );
  const carried = orders.map((order) => order.carried).reduce(eitherCarried);
  return {
    carried: isMany ? { ...carried, mark: UNKNOWN_BITS, connectionMark: UNKNOWN_BITS } : carried,
    passages: [...passages.values()].map(eitherPassage),
  };
}

function passInOrder(chains: readonly BaseChain[], flow: Flow, sent: Sent, before: Carried): Passed {
  return chains.reduce<Passed>(
    (passed, chain) => {
      const { carried, passages } = afterChain(chain, flow, sent, passed.carried);
      return { carried, passages: [...passed.passages, ...passages] };
    },
    { carried: before, passages: [] },
  );
}

function ordersOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((first) => ordersOf(items.filter((item) => item !== first)).map((rest) => [first, ...rest]));
}

/** What one chain does, where it does one thing or another. */
function eitherPassage([first, ...others]: readonly Passage[]): Passage {
  if (first === undefined) throw new TypeError('there is no passage');
  const stopping = [first, ...others].find(({ outcome }) => outcome !== 'accept') ?? first;
  return others.every(({ outcome }) => outcome === first.outcome) ? first : { ...stopping, outcome: 'unclear' };
}

function eitherCarried(a: Carried, b: Carried): Carried {
  return {
    ...a,
    mark: eitherBits(a.mark, b.mark),
    connectionMark: eitherBits(a.connectionMark, b.connectionMark),
  };
}

/** One chain, in all states that the packet may be in when it comes there. */
function afterChain(chain: BaseChain, flow: Flow, sent: Sent, carried: Carried): Passed {
  const packets = statesAt(chain).map((state) => packetAt(sent, flow, { ...state, ...carried, hook: chain.hook }));
  const meets = some(packets.map((packet) => isFor(chain, packet)));
  if (meets === 'no') return { carried, passages: [] };
  const outcomes = packets.map((packet) => walk(chain.chains, chain.chain, chain.policy, packet));
  const after = outcomes.map(({ mark, connectionMark }) => ({
    ...carried,
    mark,
    connectionMark: connectionMark ?? carried.connectionMark,
  }));
  const passage = eitherPassage(outcomes.map(({ outcome, rule }) => passageOf(chain, sent, outcome, rule)));
  // A chain of another interface changes nothing.
  const isSure = meets === 'yes' || passage.outcome === 'accept';
  return {
    carried: (meets === 'yes' ? after : [carried, ...after]).reduce(eitherCarried),
    passages: [isSure ? passage : { ...passage, outcome: 'unclear' }],
  };
}

type State = Pick<Progress, 'isTracked' | 'isTranslated'>;

/** At the very priority of connection tracking or translation, it depends on what was registered first. */
function statesAt({ hook, priority }: BaseChain): readonly State[] {
  const isEntering = hook === 'prerouting' || hook === 'output';
  const tracked = hook === 'ingress' ? [false] : isEntering ? sides(priority, CONNTRACK) : [true];
  const translates = isEntering || hook === 'postrouting' || hook === 'input';
  const translated = translates ? sides(priority, natPriority(hook)) : [false];
  return tracked.flatMap((isTracked) => translated.map((isTranslated) => ({ isTracked, isTranslated })));
}

/** Whether what comes at `priority` finds done what is done at `at`: both, where it is the same. */
function sides(priority: number, at: number): readonly boolean[] {
  return priority === at ? [false, true] : [priority > at];
}

/** Whether the chain is of the interface that the packet comes or goes by. */
function isFor({ hook, devices }: BaseChain, { from, to }: PassingPacket): Truth {
  if (hook !== 'ingress' && hook !== 'egress') return 'yes';
  const device = hook === 'ingress' ? from : to;
  if (device === null || devices.length === 0) return 'maybe';
  return devices.includes(device) ? 'yes' : 'no';
}

/** The chains that may translate a new flow, one after the other until one does. */
function passNat(group: readonly BaseChain[], flow: Flow, backend: BackendName, hook: Hook, before: Carried): Passed {
  const passages: Passage[] = [];
  let carried = before;
  const isOurs = hook === 'prerouting' ? oursIn(backend) : () => 'after' as const;
  for (const chain of group) {
    const order = isOurs(chain);
    if (order === 'before') break;
    const progress = { hook, isTracked: true, isTranslated: false, ...carried };
    const outcome = walk(chain.chains, chain.chain, chain.policy, packetAt('first', flow, progress));
    carried = {
      mark: outcome.mark,
      connectionMark: outcome.connectionMark ?? carried.connectionMark,
      snat: hook === 'prerouting' ? 'no' : snatAfter(outcome, carried.snat),
    };
    const ending = natEnding(outcome, hook);
    passages.push(
      passageOf(chain, 'first', order === 'unclear' && ending !== 'accept' ? 'unclear' : ending, outcome.rule),
    );
    if (order === 'here' || carried.snat === 'yes') break;
  }
  return { carried, passages };
}

/** Where our chain is to one of others: `before` it, behind it, or it is called from `here`. */
function oursIn(backend: BackendName): (chain: BaseChain) => 'before' | 'after' | 'here' | 'unclear' {
  const at = backend === 'nftables' ? FORWARD_PRIORITY : NAT.destination;
  return ({ priority, chains }) => {
    if (backend === 'iptables' && chains.has(TRANSLATE)) return 'here';
    if (priority === at) return 'unclear';
    return priority > at ? 'before' : 'after';
  };
}

function snatAfter({ endings }: Outcome, before: Truth): Truth {
  if (!endings.has('translate')) return endings.has('unclear') ? 'maybe' : before;
  return endings.size === 1 ? 'yes' : 'maybe';
}

/** What a chain of type nat means for the forward: ahead of ours, a translation leads the flow elsewhere. */
function natEnding({ outcome, endings }: Outcome, hook: Hook): Passage['outcome'] {
  if (outcome === 'translate') return hook === 'prerouting' ? 'divert' : 'accept';
  if (outcome !== 'unclear') return outcome;
  const isHarmless = hook !== 'prerouting' && [...endings].every((one) => one === 'accept' || one === 'translate');
  return isHarmless ? 'accept' : 'unclear';
}

/** Established flows may pass by a flowtable, and then meet none of it. */
function perhapsOffloaded(passage: Passage): Passage {
  return passage.outcome === 'accept' ? passage : { ...passage, outcome: 'unclear' };
}

function passageOf(chain: BaseChain, sent: Sent, ending: Ending, rule: string | null): Passage {
  const { name: text, author } = chain;
  const isScope = rule?.startsWith('-A neutron-l3-agent-scope ') === true;
  return {
    chain: text,
    packet: isAnswer(sent) ? 'answer' : sent === 'first' ? 'first' : 'later',
    // In a chain that only filters, nft and iptables have no translation.
    outcome: ending === 'translate' ? 'unclear' : ending,
    rule,
    author: isScope ? 'address-scopes' : author,
  };
}
