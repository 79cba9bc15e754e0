import { HatobaError } from '../../model/errors.ts';
import type { Forward, ForwardSpec } from '../../model/forward.ts';
import type { PortRange } from '../../model/port-range.ts';
import { invalidInput } from './attribute-values.ts';
import { portsTaken, refuseCollisions } from './collisions.ts';
import type { NeutronDeps } from './deps.ts';
import { badForwarding, badRequest, NeutronFault } from './faults.ts';
import { changedSpec, isAt, newSpec } from './forwarding-spec.ts';
import type { ForwardingWish } from './forwarding-wish.ts';
import { requireRevision } from './revision-match.ts';
import type { GatewayIp, Inquiry, Target, Topology } from './topology.ts';

export type ForwardingParts = Pick<NeutronDeps, 'topology' | 'queue'>;

/** Those that Neutron's clients see at the floating IP, in no order. */
export function forwardsAt({ registry }: Inquiry, gateway: GatewayIp): readonly Forward[] {
  return [...registry.forwards.ofRouter(gateway.router).values()].filter((forward) => isAt(gateway, forward));
}

/** Those that a forward at the floating IP may collide with, and perhaps others. */
function near({ registry }: Inquiry, { address }: GatewayIp, spec: ForwardSpec): readonly Forward[] {
  // Where no node has told the gateway yet, the registry does not know that both are the same.
  return [spec, { ...spec, externalAddress: address }].flatMap((meaning) => registry.forwards.near(meaning));
}

/** Error: `PortForwardingNotFound`. */
export function forwardAt({ registry }: Inquiry, gateway: GatewayIp, id: string): Forward {
  const forward = registry.forwards.get(id);
  if (forward === undefined || !isAt(gateway, forward)) throw portForwardingNotFound(id);
  return forward;
}

export function portForwardingNotFound(id: string): NeutronFault {
  return new NeutronFault('PortForwardingNotFound', `Port Forwarding ${id} could not be found.`);
}

/** One forward for each wish: all or none. Errors: `BadRequest`, and others that are the client's fault. */
export async function createForwardings(
  { topology, queue }: ForwardingParts,
  inquiry: Inquiry,
  gateway: GatewayIp,
  wishes: readonly ForwardingWish[],
): Promise<readonly Forward[]> {
  const { forwards } = inquiry.registry;
  const specs: ForwardSpec[] = [];
  for (const wish of wishes) {
    const { portId = '', internalAddress: address = null } = wish;
    const owner = ownerOf(wish, inquiry, gateway);
    if (address !== null) refuseTaken(inquiry, gateway, newSpec(wish, gateway, { address, labels: {} }, owner));
    const target = await topology.target(inquiry, gateway, { portId, address, operation: 'create' });
    specs.push(newSpec(wish, gateway, target, owner));
  }
  return queue.run(async () => {
    for (const [at, spec] of specs.entries()) {
      refuseCollisions(gateway, spec, null, [...near(inquiry, gateway, spec), ...specs.slice(0, at)]);
    }
    const ports = specs.map(({ externalPorts }) => externalPorts);
    const [only, ...others] = specs;
    if (only !== undefined && others.length === 0) return [await asNeutron({ ports }, forwards.create(only))];
    const { changes } = await asNeutron({ ports }, forwards.createAll(specs));
    return changes.map(({ id }) => forwardAt(inquiry, gateway, id ?? ''));
  });
}

/** What is there already Neutron tells before it looks for the port. Error: `BadRequest`. */
function refuseTaken(inquiry: Inquiry, gateway: GatewayIp, spec: ForwardSpec): void {
  refuseCollisions(gateway, spec, null, near(inquiry, gateway, spec));
}

/** `revision`: only if it is still at that. Errors: as `createForwardings`, `PortForwardingNotFound`, `RevisionNumberConstraintFailed`. */
export async function updateForwarding(
  { topology, queue }: ForwardingParts,
  inquiry: Inquiry,
  gateway: GatewayIp,
  id: string,
  wish: ForwardingWish,
  revision?: number,
): Promise<Forward> {
  const { forwards } = inquiry.registry;
  const before = forwardAt(inquiry, gateway, id);
  requireRevision(revision, before.revision);
  const target = await changedTarget(topology, inquiry, gateway, before, wish);
  const change = (spec: ForwardSpec): ForwardSpec => {
    const changed = changedSpec(spec, wish, target);
    const others = near(inquiry, gateway, changed).filter((other) => other.id !== id);
    refuseCollisions(gateway, changed, spec, others);
    return changed;
  };
  const ports = [wish.externalPorts ?? before.externalPorts];
  return queue.run(() => asNeutron({ id, ports, revision }, forwards.update(id, change, revision)));
}

/** `revision`: only if it is still at that. Errors: `PortForwardingNotFound`, `RevisionNumberConstraintFailed`. */
export async function deleteForwarding(
  inquiry: Inquiry,
  gateway: GatewayIp,
  id: string,
  revision?: number,
): Promise<void> {
  const { forwards } = inquiry.registry;
  requireRevision(revision, forwardAt(inquiry, gateway, id).revision);
  await asNeutron({ id, revision }, forwards.remove(id, revision));
}

/** A forward belongs to whom the floating IP belongs; whoever may, can say otherwise. Error: `HTTPBadRequest`. */
function ownerOf({ projectId }: ForwardingWish, { caller }: Inquiry, gateway: GatewayIp): string | null {
  if (projectId !== undefined && projectId !== caller.project && !caller.allProjects) {
    throw badRequest(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
    );
  }
  if (!caller.allProjects) return caller.project;
  return projectId ?? (gateway.projectId === '' ? caller.project : gateway.projectId);
}

/** `null`: it stays. A port alone stands for its address, an address alone has to be one of the same port. Error: `BadRequest`. */
async function changedTarget(
  topology: Topology,
  inquiry: Inquiry,
  gateway: GatewayIp,
  before: Forward,
  { portId, internalAddress }: ForwardingWish,
): Promise<Target | null> {
  if (portId === undefined && internalAddress === undefined) return null;
  const known = (await topology.portIds(inquiry, [before])).get(before.id) ?? [];
  const isSamePort = portId === undefined || known.includes(portId);
  if (isSamePort && (internalAddress ?? before.internalAddress).text === before.internalAddress.text) return null;
  const wanted = portId ?? known[0];
  if (wanted === undefined) throw badForwarding('internal_port_id is needed, as no port has the address of before');
  const wish = { portId: wanted, address: internalAddress ?? null, operation: 'update' } as const;
  return topology.target(inquiry, gateway, wish);
}

/** What a change is about: the one that is there, the revision it must have, and the external ports that are wanted, of each item of a batch. */
interface About {
  readonly id?: string;
  readonly revision?: number | undefined;
  readonly ports?: readonly PortRange[];
}

/** What the registry refuses, as Neutron would word it. */
async function asNeutron<Result>({ id = '', ports = [], revision }: About, change: Promise<Result>): Promise<Result> {
  try {
    return await change;
  } catch (error) {
    if (!(error instanceof HatobaError)) throw error;
    const taken = ports[itemOf(error)];
    if (error.code === 'forward_not_found') throw portForwardingNotFound(id);
    if (error.code === 'revision_mismatch') throw overtaken(revision, error);
    if (error.code === 'forward_conflict' && taken !== undefined) throw portsTaken(taken);
    if (error.code === 'expiry_past') throw invalidInput('hatoba:expires_at', error.message);
    throw error;
  }
}

/** Another change came between the check of the revision and this one. */
function overtaken(revision: number | undefined, cause: HatobaError): NeutronFault {
  const message = `Constrained to ${revision}, but ${cause.message}`;
  return new NeutronFault('RevisionNumberConstraintFailed', message, cause);
}

/** Which item of a batch is at fault; 0 where there is no batch. */
function itemOf({ field = '' }: HatobaError): number {
  return Number(/^forwards\.(\d+)\./.exec(field)?.[1] ?? 0);
}
