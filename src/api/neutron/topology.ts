import type { IncomingHttpHeaders } from 'node:http';
import type { Address } from '../../model/address.ts';
import type { Caller } from '../../model/caller.ts';
import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { Registry } from '../../registry/registry.ts';

/** Who asks, and what there is for them. */
export interface Inquiry {
  readonly caller: Caller;
  /** In which there is only what the caller may see. */
  readonly registry: Registry;
  /** Of the request: whoever has to ask Neutron itself hands the token on. */
  readonly headers: IncomingHttpHeaders;
}

/** A router's own outside address (IPv4; Neutron's forwards know no other), which Neutron's clients see as a floating IP. */
export interface GatewayIp {
  /** Of the floating IP: a UUID that stays the same for this router and address. */
  readonly id: string;
  readonly address: Address;
  /** Hatoba's name for the router. */
  readonly router: RouterId;
  /** UUIDs by which Neutron's clients know the router, and the network outside. */
  readonly routerId: string;
  readonly networkId: string;
  /** UUID that stands for the router's port outside, whose own id Neutron shows to admins alone. */
  readonly portId: string;
  /** Of the floating IP; `''`: of none. */
  readonly projectId: string;
  /** Those of the router. */
  readonly tags: readonly string[];
}

/** What a request says of the machine a forward is to lead to. */
export interface WishedTarget {
  readonly portId: string;
  /** `null`: to be chosen, where the port has but one. */
  readonly address: Address | null;
  /** An update that leaves the port out or names another has errors in words of their own. */
  readonly operation: 'create' | 'update';
}

export interface Target {
  readonly address: Address;
  /** What a forward to this target has to be labelled with, so that `portIds` can tell its port; mostly nothing. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What there is around forwards, as Neutron's clients see it: with Neutron, or by hatoba's own knowledge. */
export interface Topology {
  /** Those of all routers that the caller may see, in order of their ids. */
  gateways(inquiry: Inquiry): Promise<readonly GatewayIp[]>;
  /** `null`: no gateway that the caller may see has this id. */
  gateway(inquiry: Inquiry, id: string): Promise<GatewayIp | null>;
  /** Errors: a `NeutronFault` for a port that is not there, or that the router does not reach at this address. */
  target(inquiry: Inquiry, gateway: GatewayIp, wish: WishedTarget): Promise<Target>;
  /**
   * The ids by which the port of each forward's target is known; the first is the one to show. None: no port is known,
   * and `internal_port_id` is null.
   */
  portIds(inquiry: Inquiry, forwards: readonly Forward[]): Promise<ReadonlyMap<ForwardId, readonly string[]>>;
}
