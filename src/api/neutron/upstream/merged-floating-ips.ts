import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { NeutronDeps } from '../deps.ts';
import type { Document } from '../documents.ts';
import { FLOATING_IPS, listGatewayIps } from '../floating-ips.ts';
import { inquire } from '../inquiry.ts';
import { type ListQuery, readListQuery } from '../list-query.ts';
import { answerList, type Listed, listed } from '../listing.ts';
import { type NeutronRequest, urlOf } from '../serving.ts';

/** Done here, with all floating IPs at hand. */
const OURS = ['fields', 'limit', 'marker', 'page_reverse'];

/** What is null in every gateway's floating IP. */
const BOUND = ['port_id', 'fixed_ip_address'];

/** Nobody's gateway is asked for by these: what Neutron answers is all there is. */
export function isOfPort(request: NeutronRequest): boolean {
  const { search } = urlOf(request);
  return BOUND.some((key) => search.has(key) && search.getAll(key).every((value) => value !== ''));
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
    gatewaysFor(deps, request, query),
  ]);
  const things = [...real.map(listed), ...gateways];
  return answerList(things, { ...query, filters: new Map() }, FLOATING_IPS, url);
}

async function gatewaysFor(deps: NeutronDeps, request: NeutronRequest, query: ListQuery): Promise<readonly Listed[]> {
  // They have no tags, so whatever tags are not wanted are not there.
  const filters = new Map([...query.filters].filter(([key]) => !key.startsWith('not-tags')));
  return listGatewayIps(deps, inquire(deps, request), filters);
}
