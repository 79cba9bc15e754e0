import type { Address, Family } from '../model/address.ts';
import type { FlowUsage } from '../model/flow-usage.ts';
import type { ForwardId } from '../model/ids.ts';
import type { Gateways } from '../model/router.ts';
import type { Rule } from './rule.ts';

/** What a data plane has found, without judging it: `diagnose…` makes findings of it. Whatever is `null` it could not tell. */

/** About the machine and the daemon's rights on it. */
export interface NodeFacts {
  /** Rights that the data plane needs and the daemon lacks, by their names. */
  readonly missingCapabilities: readonly string[];
}

/** Which way packets leave, or why they do not. */
export type Route = Hop | { readonly failure: string };

export interface Hop {
  readonly interface: string;
  /** `null`: the destination is a neighbour there. */
  readonly nextHop: Address | null;
}

/** Packets of a flow: the first one, the answers to it, and what the client sends once it has been answered. */
export type FlowPacket = 'first' | 'answer' | 'later';

/** What a chain of others, which packets of a router come to by themselves, does to those of a forward. */
export interface Passage {
  /** Who has it, and its name: `iptables-nft filter FORWARD`. */
  readonly chain: string;
  readonly packet: FlowPacket;
  /** `divert`: it sends the flow another way than the forward's; `unclear`: it may let the packet through, or not. */
  readonly outcome: 'accept' | 'drop' | 'divert' | 'unclear';
  /** The rule that decides, or on which it depends; `null`: the chain's policy. */
  readonly rule: string | null;
  /** Who is known to write such rules. */
  readonly author: 'docker' | 'firewalld' | 'address-scopes' | null;
}

/** How the router's routes take the packets of a forward's flows. */
export interface WayFacts {
  /**
   * The interface by which clients come in: an inside one, where the forward names its sources and these are there; else the
   * one that has the external address; where none has it, all that lead outside.
   */
  readonly arrivesBy: readonly string[];
  /** Whether packets leave by the inside interface they came in by: they are masqueraded, so that answers come back. */
  readonly isHairpin: boolean;
  /** Whether one of these is a bridge, on which answers to clients may come through the router's rules without being routed. */
  readonly isBridged: boolean;
  readonly toTarget: Route;
  /** Whether the target is an address of the router itself. */
  readonly isLocal: boolean;
  /** Why the kernel would not take a packet that comes in from outside, though it has a route for it; `null`: it would. */
  readonly refusal: string | null;
  /** From the target back to a client. */
  readonly toClient: Route;
  /** The client that was assumed. */
  readonly client: Address;
}

/** How the target behaves when the router itself asks it. */
export interface TargetFacts {
  /** The neighbour that packets for the target are handed to; `null`: the kernel has not heard of it. */
  readonly neighbour: { readonly address: Address; readonly state: string } | null;
  /** `accepts`, `refuses`, `silent`, or what the attempt failed with; `null`: it cannot be told for the protocol. */
  readonly answer: string | null;
}

/** About one rule of a program. */
export interface RuleFacts {
  readonly rule: Rule;
  /** Whether the router has the external address itself. */
  readonly hasAddress: boolean;
  /** How many connections it has translated; `null`: it is not in the kernel. */
  readonly connections: number | null;
  readonly way: WayFacts;
  readonly passages: readonly Passage[];
  /** Whether others' rules give the flow another source, so that the target answers the router. */
  readonly translatesSource: 'yes' | 'no' | 'unclear';
  /** Where it was asked for. */
  readonly target: TargetFacts | null;
}

/** About one instance of a router. */
export interface InstanceFacts {
  readonly instance: string;
  readonly gateways: Gateways;
  readonly outside: { readonly [family in Family]: readonly string[] };
  /** Whether the kernel forwards packets there at all; `null`: it does not have the family. */
  readonly forwarding: { readonly [family in Family]: boolean | null };
  readonly flows: FlowUsage;
  /** Interfaces that drop what does not come in where its answer would leave. */
  readonly strictReversePath: readonly string[];
  /** Rules by which packets are routed by more than their destination, such as a mark, as the router's program prints them. */
  readonly routingRules: { readonly [family in Family]: readonly string[] };
  /** Rules of others that could not be read, and why. */
  readonly unread: readonly string[];
  readonly rules: ReadonlyMap<ForwardId, RuleFacts>;
}
