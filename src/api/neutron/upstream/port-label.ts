import type { Forward } from '../../../model/forward.ts';
import type { NeutronPort } from '../../../openstack/neutron/client.ts';

/** What a forward is labelled with that was made for a port of Neutron, and goes when that goes. */
const PORT = 'neutron-port';

export function labelsOf({ id }: Pick<NeutronPort, 'id'>): Readonly<Record<string, string>> {
  return { [PORT]: id };
}

/** The id of the port that a forward was made for; `null`: it was made for an address. */
export function portOf({ labels }: Pick<Forward, 'labels'>): string | null {
  return labels[PORT] ?? null;
}
