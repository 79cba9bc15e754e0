import { type Address, parseAddress } from '../../../model/address.ts';
import { HatobaError } from '../../../model/errors.ts';
import type { NeutronRouter } from '../../../openstack/neutron/client.ts';

/** The external gateway of a router, by the address that stands for it as a floating IP. */
export interface RouterOutside {
  readonly networkId: string;
  readonly subnetId: string;
  /** IPv4. */
  readonly address: Address;
}

/** `null`: the router has no address that Neutron's port forwardings could have. */
export function outsideOf({ external_gateway_info: outside }: NeutronRouter): RouterOutside | null {
  for (const { ip_address, subnet_id: subnetId } of outside?.external_fixed_ips ?? []) {
    const address = readIPv4(ip_address);
    if (address !== null && outside !== null) return { networkId: outside.network_id, subnetId, address };
  }
  return null;
}

function readIPv4(text: string): Address | null {
  try {
    const address = parseAddress(text);
    return address.family === 4 ? address : null;
  } catch (error) {
    if (error instanceof HatobaError) return null;
    throw error;
  }
}
