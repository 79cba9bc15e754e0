import type { Forward } from '../../../model/forward.ts';
import { isUuid } from '../../../model/ids.ts';
import type { RouterId } from '../../../model/router.ts';
import type { NeutronPort } from '../../../openstack/neutron/client.ts';

/** What a forward is labelled with that was made for a port of Neutron, and goes when that goes: `PORT/ROUTER/ADDRESS`. */
const PORT = 'neutron-port';

export function labelsOf(
  { id }: Pick<NeutronPort, 'id'>,
  router: RouterId,
  address: string,
): Readonly<Record<string, string>> {
  return { [PORT]: [id, router, address].join('/') };
}

/**
 * The id of the port that a forward was made for; `null`: it was made for an address, or has been led to another one since,
 * or to another router. The label may have been written by anybody.
 */
export function portOf({ labels, router, internalAddress }: Forward): string | null {
  const [port = '', ...place] = (labels[PORT] ?? '').split('/');
  return isUuid(port) && place.join('/') === `${router}/${internalAddress.text}` ? port : null;
}
