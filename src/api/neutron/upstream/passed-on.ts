import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { tellerOfRequest } from '../../audit.ts';
import { type NeutronRoute, parameter } from '../serving.ts';
import type { Departures } from './departures.ts';
import { readInterface, refuseInUse } from './interface-removal.ts';
import { passOn } from './pass-on.ts';

/** Who may do what Neutron does, Neutron decides. */
const ACCESS = { config: { access: 'passed-on' } } as const;

/** Of a request to remove an interface, which is read before Neutron gets it. */
const INTERFACE_LIMIT = 64 * 1024;

export interface PassedOnDeps {
  readonly upstream: Upstream;
  readonly neutron: NeutronClient;
  readonly forwards: Forwards;
  readonly departures: Departures;
}

/** Whatever no other route takes goes on to Neutron as it comes; where a port or a router goes, its forwards go as well. */
export function passedOn({ upstream, departures }: PassedOnDeps): FastifyPluginCallback {
  return untouched((routes) => {
    routes.all('/*', ACCESS, (request, reply) => passOn(upstream, request, reply));
    routes.delete<NeutronRoute>('/ports/:id', ACCESS, (request, reply) =>
      passOn(upstream, request, reply, {
        consequence: ifDone(() => departures.portDeleted(parameter(request, 'id'), tellerOfRequest(request))),
      }),
    );
    routes.put<NeutronRoute>('/ports/:id', ACCESS, (request, reply) =>
      passOn(upstream, request, reply, {
        consequence: ifDone(() =>
          departures.portChanged(parameter(request, 'id'), tellerOfRequest(request), credentialsIn(request.headers)),
        ),
      }),
    );
    routes.delete<NeutronRoute>('/routers/:id', ACCESS, (request, reply) =>
      passOn(upstream, request, reply, {
        consequence: ifDone(() => departures.routerDeleted(parameter(request, 'id'), tellerOfRequest(request))),
      }),
    );
  });
}

/** Goes on to Neutron only where no forward needs the interface. */
export function interfaceRemoval({ upstream, neutron, forwards }: PassedOnDeps): FastifyPluginCallback {
  return (routes, _options, done) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    routes.put<NeutronRoute>(
      '/routers/:id/remove_router_interface',
      { ...ACCESS, bodyLimit: INTERFACE_LIMIT },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const router = parameter(request, 'id');
        await refuseInUse(neutron, credentialsIn(request.headers), forwards, router, readInterface(body));
        return passOn(upstream, request, reply, { body });
      },
    );
    done();
  };
}

/** Routes of a plugin of its own, in which bodies, of any kind and size, are not read. */
export function untouched(routes: (instance: FastifyInstance) => void): FastifyPluginCallback {
  return (instance, _options, done) => {
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    routes(instance);
    done();
  };
}

function ifDone(follow: () => Promise<void>): (answer: IncomingMessage) => Promise<void> {
  return async ({ statusCode = 0 }) => {
    if (statusCode >= 200 && statusCode < 300) await follow();
  };
}
