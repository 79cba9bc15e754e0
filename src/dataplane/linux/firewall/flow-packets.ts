import { addressSpace, type Intervals } from '../../../interchange/intervals.ts';
import { addressValue } from '../../../model/address.ts';
import type { FlowPacket } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { type Bits, bitsOf } from './bits.ts';
import { clientsOf } from './clients.ts';
import type { Hook } from './hooks.ts';
import { TCP_FLAGS } from './iptables-conditions.ts';
import { exactly, type PassingPacket, type Truth } from './passing-packet.ts';

/** A flow of a forward, and the interfaces that routing takes its packets through. */
export interface Flow {
  readonly rule: Rule;
  /** By which clients' packets come in; `null`: not known. */
  readonly outside: string | null;
  /** Towards the target, which is the router itself where `isLocal`; `null`: not known. */
  readonly inside: string | null;
  readonly isLocal: boolean;
  /** By which answers to clients leave; `null`: not known. */
  readonly answersBy: string | null;
}

/** A packet of it; `later-answer`: one that no TCP connection begins with. */
export type Sent = FlowPacket | 'later-answer';

/** Which hooks it comes through, in order (https://wiki.nftables.org, "Netfilter hooks"). */
export function hooksOf(sent: Sent, { isLocal }: Flow): readonly Hook[] {
  if (!isLocal) return ['ingress', 'prerouting', 'forward', 'postrouting', 'egress'];
  return isAnswer(sent) ? ['output', 'postrouting', 'egress'] : ['ingress', 'prerouting', 'input'];
}

/** What has become of a packet by the time that it comes to some priority of a hook. */
export interface Progress {
  readonly hook: Hook;
  readonly isTracked: boolean;
  /** Whether the hook has translated it, where it is one that does. */
  readonly isTranslated: boolean;
  /** Whether the flow has its source translated by others. */
  readonly snat: Truth;
  readonly mark: Bits;
  readonly connectionMark: Bits;
}

export function isAnswer(sent: Sent): boolean {
  return sent === 'answer' || sent === 'later-answer';
}

/** The packet as it is seen there. Of ranges the first port stands for all. */
export function packetAt(sent: Sent, flow: Flow, progress: Progress): PassingPacket {
  const { rule } = flow;
  const { protocol, external, externalPorts } = rule;
  return {
    direction: isAnswer(sent) ? 'reply' : 'request',
    family: external.family,
    protocol,
    asked: { address: external, port: externalPorts.first },
    tcpFlags: FLAGS[sent],
    ...interfacesAt(sent, flow, progress.hook),
    ...(isAnswer(sent) ? answerEnds(rule, progress) : requestEnds(rule, progress)),
    mark: progress.mark,
    connection: progress.isTracked ? connectionAt(sent, progress) : null,
  };
}

const { SYN, ACK, PSH, FIN, RST, URG } = TCP_FLAGS;
const ALL = FIN | SYN | RST | PSH | ACK | URG;

/** With those of RFC 3168 it is not known. */
const FLAGS: Readonly<Record<Sent, Bits>> = {
  first: { value: SYN, known: ALL },
  answer: { value: SYN | ACK, known: ALL },
  later: { value: ACK, known: ALL & ~PSH },
  'later-answer': { value: ACK, known: ALL & ~PSH },
};

/** Hooks that see a packet before it is routed have no interface by which it leaves, and so on (linux/netfilter.h). */
function interfacesAt(sent: Sent, flow: Flow, hook: Hook): Pick<PassingPacket, 'from' | 'to'> {
  const { outside, inside, answersBy, isLocal } = flow;
  const [by, towards] = isAnswer(sent) ? [isLocal ? '' : inside, answersBy] : [outside, isLocal ? '' : inside];
  switch (hook) {
    case 'ingress':
    case 'prerouting':
    case 'input':
      return { from: by, to: '' };
    case 'output':
      return { from: '', to: towards };
    case 'forward':
    case 'postrouting':
      return { from: by, to: towards };
    case 'egress':
      return { from: null, to: towards };
  }
}

type PacketEnds = Pick<PassingPacket, 'source' | 'sourcePort' | 'destination' | 'destinationPort'>;

function requestEnds(rule: Rule, { hook, isTranslated, snat }: Progress): PacketEnds {
  const { external, externalPorts, internal, internalPorts } = rule;
  const isArriving = hook === 'ingress' || (hook === 'prerouting' && !isTranslated);
  const isLeaving = hook === 'egress' || ((hook === 'postrouting' || hook === 'input') && isTranslated);
  const [to, port] = isArriving ? [external, externalPorts.first] : [internal, internalPorts.first];
  return {
    source: isLeaving ? clientsOrOthers(rule, snat) : clientsOf(rule),
    sourcePort: null,
    destination: exactly(addressValue(to)),
    destinationPort: port,
  };
}

function answerEnds(rule: Rule, { hook, isTranslated, snat }: Progress): PacketEnds {
  const { external, externalPorts, internal, internalPorts } = rule;
  const isArriving = hook === 'ingress' || (hook === 'prerouting' && !isTranslated);
  const isLeaving = hook === 'egress' || (hook === 'postrouting' && isTranslated);
  const [from, port] = isLeaving ? [external, externalPorts.first] : [internal, internalPorts.first];
  return {
    source: exactly(addressValue(from)),
    sourcePort: port,
    destination: isArriving ? clientsOrOthers(rule, snat) : clientsOf(rule),
    destinationPort: null,
  };
}

/** What others have translated a client's address to can be any. */
function clientsOrOthers(rule: Rule, snat: Truth): Intervals {
  return snat === 'no' ? clientsOf(rule) : [addressSpace(rule.external.family)];
}

/** A flow is translated by its first packet, and all further ones know of it as soon as they are tracked. */
function connectionAt(sent: Sent, progress: Progress): PassingPacket['connection'] {
  const { hook, isTranslated, snat, connectionMark } = progress;
  if (sent !== 'first') return { state: 'established', dnat: 'yes', snat, mark: connectionMark };
  const isNew = hook === 'prerouting' && !isTranslated;
  const hasSource = hook === 'egress' || ((hook === 'postrouting' || hook === 'input') && isTranslated);
  return { state: 'new', dnat: isNew ? 'no' : 'yes', snat: hasSource ? snat : 'no', mark: connectionMark };
}

/** Of both, where a flow begins. */
export const NO_MARKS = Object.freeze({ mark: bitsOf(0), connectionMark: bitsOf(0) });
