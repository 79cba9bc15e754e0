import type { FastifyPluginCallback } from 'fastify';
import { type Credentials, credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { NeutronRoute } from '../serving.ts';
import { type Keeps, refuseGatewayLoss } from './gateway-loss.ts';
import { keptByGateways, keptByRemoval, keptByUpdate } from './gateway-requests.ts';
import { readInterface, refuseInUse } from './interface-removal.ts';
import { passOn } from './pass-on.ts';
import { namedId, type PassedOnDeps } from './passed-on.ts';

/** Who may do what Neutron does, Neutron decides. */
const ACCESS = { config: { access: 'passed-on' } } as const;

/** Of a change of a router, which is read before Neutron gets it; its longest part are static routes. */
const BODY_LIMIT = 1024 * 1024;

interface GuardedChange {
  readonly router: string;
  readonly body: Buffer;
  readonly credentials: Credentials;
}

/** Changes of routers that go on to Neutron only where no forward loses what it needs. */
export function guardedChanges({ upstream, neutron, forwards }: PassedOnDeps): FastifyPluginCallback {
  const keeping =
    (readKeeps: (body: Buffer) => Keeps) =>
    ({ router, body, credentials }: GuardedChange) =>
      refuseGatewayLoss({ neutron, forwards }, credentials, router, readKeeps(body));
  const guards: Readonly<Record<string, (change: GuardedChange) => Promise<void>>> = {
    '/routers/:id': keeping(keptByUpdate),
    '/routers/:id/update_external_gateways': keeping(keptByGateways),
    '/routers/:id/remove_external_gateways': keeping(keptByRemoval),
    '/routers/:id/remove_router_interface': ({ router, body, credentials }) =>
      refuseInUse(neutron, credentials, forwards, router, readInterface(body)),
  };
  return (routes, _options, done) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    for (const [path, refuse] of Object.entries(guards)) {
      routes.put<NeutronRoute>(path, { ...ACCESS, bodyLimit: BODY_LIMIT }, async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        await refuse({ router: namedId(request), body, credentials: credentialsIn(request.headers) });
        return passOn(upstream, request, reply, { body });
      });
    }
    done();
  };
}
