import { parseAddress } from '../../../model/address.ts';
import { HatobaError } from '../../../model/errors.ts';
import type { NeutronClient, NeutronRouter } from '../../../openstack/neutron/client.ts';
import { type Credentials, credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Identities } from '../standalone/identities.ts';
import type { GatewayIp, Inquiry, Topology } from '../topology.ts';
import { findPortIds } from './port-lookup.ts';
import type { RouterOwners } from './router-owners.ts';
import { rememberAnswers, type TargetSources } from './target-sources.ts';
import { findTarget } from './targets.ts';

/** So many floating IPs are remembered with their routers. */
const MOST = 10_000;

/** What Neutron knows, asked as whoever asks: what it does not tell them is not there. */
export function createUpstreamTopology(
  neutron: NeutronClient,
  identities: Identities,
  owners: Pick<RouterOwners, 'note'>,
): Topology {
  const routers = new Map<string, string>();

  const sources = new WeakMap<Inquiry, TargetSources>();

  /** Many forwards can be made by one request, most of them behind one router. */
  function sourcesOf(inquiry: Inquiry): TargetSources {
    const there = sources.get(inquiry) ?? rememberAnswers(neutron);
    sources.set(inquiry, there);
    return there;
  }

  /** `null`: it has no address that Neutron's port forwardings could have. */
  function gatewayOf({
    id: router,
    project_id: projectId,
    external_gateway_info: outside,
    tags = [],
  }: NeutronRouter): GatewayIp | null {
    const fixedIp = outside?.external_fixed_ips?.find(({ ip_address }) => isIPv4(ip_address));
    if (outside === null || fixedIp === undefined) return null;
    const address = parseAddress(fixedIp.ip_address);
    const id = identities.floatingIp(router, address);
    owners.note(router, projectId);
    if (routers.size >= MOST) routers.clear();
    routers.set(id, router);
    const portId = identities.gatewayPort(router, address);
    return { id, address, router, routerId: router, networkId: outside.network_id, portId, projectId, tags };
  }

  async function gateways(credentials: Credentials): Promise<readonly GatewayIp[]> {
    const found = (await neutron.routers(credentials)).flatMap((router) => gatewayOf(router) ?? []);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Of a floating IP that was seen before, its router alone is asked for. */
  async function gateway(credentials: Credentials, id: string): Promise<GatewayIp | null> {
    const known = routers.get(id);
    const router = known === undefined ? null : await neutron.router(credentials, known);
    const likely = router && gatewayOf(router);
    if (likely?.id === id) return likely;
    return (await gateways(credentials)).find((each) => each.id === id) ?? null;
  }

  return {
    gateways: ({ headers }) => gateways(credentialsIn(headers)),
    gateway: ({ headers }, id) => gateway(credentialsIn(headers), id),
    target: (inquiry, at, wish) => findTarget(sourcesOf(inquiry), credentialsIn(inquiry.headers), at, wish),
    portIds: ({ headers }, forwards) => findPortIds(neutron, credentialsIn(headers), forwards),
  };
}

function isIPv4(text: string): boolean {
  try {
    return parseAddress(text).family === 4;
  } catch (error) {
    if (error instanceof HatobaError) return false;
    throw error;
  }
}
