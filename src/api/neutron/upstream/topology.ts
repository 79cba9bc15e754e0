import type { NeutronClient, NeutronRouter } from '../../../openstack/neutron/client.ts';
import { type Credentials, credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Identities } from '../standalone/identities.ts';
import type { GatewayIp, Inquiry, Topology } from '../topology.ts';
import { findPortIds } from './port-lookup.ts';
import { outsideOf } from './router-outside.ts';
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
  function gatewayOf(found: NeutronRouter): GatewayIp | null {
    const { id: router, project_id: projectId, tags = [] } = found;
    const outside = outsideOf(found);
    if (outside === null) return null;
    const { address, networkId } = outside;
    const id = identities.floatingIp(router, address);
    owners.note(router, projectId);
    if (routers.size >= MOST) routers.clear();
    routers.set(id, router);
    const portId = identities.gatewayPort(router, address);
    return { id, address, router, routerId: router, networkId, portId, projectId, tags };
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
