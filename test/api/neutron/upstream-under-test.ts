import { createRouterOwners } from '../../../src/api/neutron/upstream/router-owners.ts';
import { parseGrants } from '../../../src/model/grants.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { type Bench, type BenchOptions, openBench, ROUTER } from '../api-under-test.ts';
import { type NeutronStandIn, openNeutronStandIn } from './neutron-stand-in.ts';

export const PORT = '11111111-0000-4000-8000-000000000001';

export function port(id: string, device: string, owner: string, subnet: string, address = '10.0.0.1') {
  const fixed_ips = [{ subnet_id: subnet, ip_address: address }];
  return { id, network_id: 'n1', device_id: device, device_owner: owner, fixed_ips };
}

/** The router's interface, the machine behind it, and one with the same address elsewhere. */
export const INSIDE = [
  port('interface', ROUTER, 'network:router_interface', 's1'),
  port(PORT, '', '', 's1', '10.0.0.11'),
  port('elsewhere', '', '', 's2', '10.0.0.11'),
];

export function router(id: string, address: string) {
  const outside = { network_id: 'outside', external_fixed_ips: [{ subnet_id: 's0', ip_address: address }] };
  return { id, project_id: 'blue', external_gateway_info: outside };
}

export interface UpstreamBench extends Bench {
  readonly neutron: NeutronStandIn;
}

/** The API in front of a Neutron with one router, that looks for what is gone only when it is told to. */
export async function openUpstreamBench(options: BenchOptions = {}): Promise<UpstreamBench> {
  const neutron = await openNeutronStandIn();
  neutron.things.routers = [router(ROUTER, '192.0.2.1')];
  neutron.things.ports = INSIDE;
  const owners = createRouterOwners();
  const account = async () => ({ credentials: [], seesAll: true });
  const upstream = { upstream: createUpstream(neutron.url), owners, account, sweepInterval: 3_600_000 };
  const bench = await openBench({
    grants: parseGrants([], owners.mayUse),
    ...options,
    neutron: { ...options.neutron, upstream },
  });
  return {
    ...bench,
    neutron,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await neutron[Symbol.asyncDispose]();
    },
  };
}

export async function send({ api }: Bench, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) {
  const answer = await api.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() };
}

/** Of the first floating IP. */
export async function gatewayIdOf(bench: Bench): Promise<string> {
  return (await send(bench, 'GET', '/v2.0/floatingips')).body.floatingips[0].id;
}

/** A port forwarding to the machine inside. */
export const forwarding = {
  port_forwarding: {
    protocol: 'tcp',
    internal_port_id: PORT,
    internal_ip_address: '10.0.0.11',
    internal_port: 22,
    external_port: 2222,
  },
};
