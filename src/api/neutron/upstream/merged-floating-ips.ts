import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { NeutronDeps } from '../deps.ts';
import type { Document } from '../documents.ts';
import { FLOATING_IPS, listGatewayIps } from '../floating-ips.ts';
import { inquire } from '../inquiry.ts';
import { readListQuery } from '../list-query.ts';
import { answerList, listed } from '../listing.ts';
import { type NeutronRequest, urlOf } from '../serving.ts';
import { DERIVED_ID } from '../standalone/derived-ids.ts';

/** Done here, with all floating IPs at hand. */
const OURS = ['fields', 'limit', 'marker', 'page_reverse'];

const IS_DERIVED = new RegExp(`^${DERIVED_ID}$`);

/** Whether the floating IPs of ports are asked for that Neutron alone has: no gateway is at one of them. */
export function isOfPort(request: NeutronRequest): boolean {
  const ports = urlOf(request).search.getAll('port_id');
  return ports.length > 0 && ports.every((port) => port !== '' && !IS_DERIVED.test(port));
}

/**
 * Neutron's floating IPs, and one for each gateway, as one list. What filters and sort keys there are Neutron says,
 * which is asked with them.
 */
export async function listFloatingIps(
  deps: NeutronDeps,
  neutron: NeutronClient,
  request: NeutronRequest,
): Promise<Document> {
  const url = urlOf(request);
  const sortKeys = url.search.getAll('sort_key');
  const query = readListQuery(url.search, { ...FLOATING_IPS, filters: [...url.search.keys()], sortKeys });
  const asked = new URLSearchParams([...url.search].filter(([key]) => !OURS.includes(key)));
  const [real, gateways] = await Promise.all([
    neutron.floatingIps(credentialsIn(request.headers), asked),
    listGatewayIps(deps, inquire(deps, request), query),
  ]);
  const things = [...real.map(listed), ...gateways];
  return answerList(things, { ...query, filters: new Map() }, FLOATING_IPS, url);
}
