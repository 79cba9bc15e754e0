import type { ForwardSpec } from './forward.ts';
import type { ForwardId } from './ids.ts';
import type { OutsideAddress } from './router.ts';

/** A rule that somebody else has in a router. */
export interface ForeignRule {
  /** Where it is; for Linux, the name of a network namespace. */
  readonly instance: string;
  /** What made it, and can take it away: `iptables-nft`. */
  readonly program: string;
  /** As that program prints it. */
  readonly text: string;
}

/** A rule that is not taken over, and why. */
export interface LeftForeignRule extends ForeignRule {
  readonly reason: string;
}

/** A rule that is not needed any more once all of its forwards are active. */
export interface AdoptableRule extends ForeignRule {
  /** Those that are there already. */
  readonly present: readonly ForwardId[];
  /** Those that are to be made, by their place in the plan. */
  readonly created: readonly number[];
}

/** What became of a rule that was to be taken away. */
export interface Removal {
  /** `gone`: somebody else had already taken it away. */
  readonly outcome: 'removed' | 'gone' | 'failed';
  readonly reason: string | null;
}

/** What taking over the rules of one router comes to. */
export interface AdoptionPlan {
  readonly forwards: readonly ForwardSpec[];
  readonly rules: readonly AdoptableRule[];
  readonly left: readonly LeftForeignRule[];
  /** Rules that report packets (LOG), stay, and are no longer met by those of the forwards. */
  readonly bypassed: readonly LeftForeignRule[];
  /** Programs that look after rules of theirs, which are let alone; one for each rule. */
  readonly owners: readonly string[];
  /** What is there and could not be read, and why. */
  readonly unread: readonly string[];
  /** The router's own addresses on its outside interfaces here. */
  readonly addresses: readonly OutsideAddress[];
}

export interface AdoptionOptions {
  /** Whether a rule without an address, for packets by an outside interface, becomes a forward for each address there. */
  readonly allAddresses: boolean;
  /** Whether rules for the router's present addresses become forwards on `gateway`. */
  readonly followGateway: boolean;
  /** Beginnings of the names of outside interfaces: a rule for packets that come in there counts as one for all. */
  readonly outside: readonly string[];
}
