import type { FastifyPluginCallback, FastifyReply } from 'fastify';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import type { Document } from '../documents.ts';
import { badForwarding, NeutronFault } from '../faults.ts';
import { portForwardingNotFound } from '../forwardings.ts';
import { floatingIpNotFound } from '../inquiry.ts';
import { type NeutronRequest, type NeutronRoute, parameter } from '../serving.ts';
import { passOn } from './pass-on.ts';
import { untouched } from './passed-on.ts';

const ACCESS = { config: { access: 'passed-on' } } as const;
const PATHS = ['/floatingips/:floatingip/port_forwardings', '/floatingips/:floatingip/port_forwardings/:id'];

/**
 * Port forwardings of Neutron's own floating IPs: Neutron's, where it has its plugin. Where it has not, gateways have some
 * all the same, so that clients look for them everywhere; then these floating IPs have none, and cannot get any: no router
 * has the address of one that is not associated, and whoever has an associated one has all its ports. Errors:
 * `FloatingIPNotFound`, `PortForwardingNotFound`, `BadRequest`.
 */
export function servePluginOff(upstream: Upstream, neutron: NeutronClient): FastifyPluginCallback {
  async function answer(request: NeutronRequest, reply: FastifyReply): Promise<unknown> {
    const credentials = credentialsIn(request.headers);
    if (await neutron.hasExtension(credentials, 'floating-ip-port-forwarding')) return passOn(upstream, request, reply);
    const id = parameter(request, 'floatingip');
    const floatingIp = await neutron.floatingIp(credentials, id);
    if (floatingIp === null) throw floatingIpNotFound(id);
    return withoutPlugin(request, `${floatingIp.floating_ip_address} (${id})`);
  }

  return untouched((routes) => {
    for (const path of PATHS) routes.all<NeutronRoute>(path, ACCESS, answer);
  });
}

function withoutPlugin(request: NeutronRequest, floatingIp: string): Document {
  const id = parameter(request, 'id');
  const isKnown =
    id === '' ? ['GET', 'POST'].includes(request.method) : ['GET', 'PUT', 'DELETE'].includes(request.method);
  if (!isKnown) throw new NeutronFault('HTTPMethodNotAllowed', `${request.method} is not allowed here.`);
  if (id !== '') throw portForwardingNotFound(id);
  if (request.method === 'GET') return { port_forwardings: [] };
  throw badForwarding(
    `Floating IP ${floatingIp} cannot have port forwardings, as Neutron's plugin for them is off. ` +
      "Those of a router's own external address can be made at the floating IP that stands for it",
  );
}
