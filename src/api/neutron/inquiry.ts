import type { NeutronDeps } from './deps.ts';
import { NeutronFault } from './faults.ts';
import { type NeutronRequest, parameter } from './serving.ts';
import type { GatewayIp, Inquiry } from './topology.ts';

/** Who asks, and what there is for them. */
export function inquire({ registryOf }: Pick<NeutronDeps, 'registryOf'>, { caller, headers }: NeutronRequest): Inquiry {
  return { caller, headers, registry: registryOf(caller) };
}

/** The floating IP that the path names. Error: `FloatingIPNotFound`. */
export async function namedGateway(
  { topology }: Pick<NeutronDeps, 'topology'>,
  inquiry: Inquiry,
  request: NeutronRequest,
): Promise<GatewayIp> {
  const id = parameter(request, 'floatingip');
  const gateway = await topology.gateway(inquiry, id);
  if (gateway === null) throw floatingIpNotFound(id);
  return gateway;
}

export function floatingIpNotFound(id: string): NeutronFault {
  return new NeutronFault('FloatingIPNotFound', `Floating IP ${id} could not be found`);
}
