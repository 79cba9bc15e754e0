import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import type { Forwards } from '../../../registry/registry.ts';
import { tellerOfRequest } from '../../audit.ts';
import { type NeutronRequest, type NeutronRoute, parameter } from '../serving.ts';
import type { Departures } from './departures.ts';
import { refuseRouterLoss } from './gateway-loss.ts';
import { passOn } from './pass-on.ts';

/** Who may do what Neutron does, Neutron decides. */
const ACCESS = { config: { access: 'passed-on' } } as const;

export interface PassedOnDeps {
  readonly upstream: Upstream;
  readonly neutron: NeutronClient;
  readonly forwards: Forwards;
  readonly departures: Departures;
}

/** Whatever no other route takes goes on to Neutron as it comes; where a port or a router goes, its forwards go as well. */
export function passedOn({ upstream, neutron, forwards, departures }: PassedOnDeps): FastifyPluginCallback {
  return untouched((routes) => {
    routes.all('/*', ACCESS, (request, reply) => passOn(upstream, request, reply));
    routes.delete<NeutronRoute>('/ports/:id', ACCESS, (request, reply) =>
      passOn(upstream, request, reply, {
        consequence: ifDone(() => departures.portDeleted(namedId(request), tellerOfRequest(request))),
      }),
    );
    routes.put<NeutronRoute>('/ports/:id', ACCESS, (request, reply) =>
      passOn(upstream, request, reply, {
        consequence: ifDone(() =>
          departures.portChanged(namedId(request), tellerOfRequest(request), credentialsIn(request.headers)),
        ),
      }),
    );
    routes.delete<NeutronRoute>('/routers/:id', ACCESS, async (request, reply) => {
      await refuseRouterLoss({ neutron, forwards }, credentialsIn(request.headers), namedId(request));
      return passOn(upstream, request, reply, {
        consequence: ifDone(() => departures.routerDeleted(namedId(request), tellerOfRequest(request))),
      });
    });
  });
}

/** The id in the path; Neutron finds an id in capitals, too, where its database does (MySQL). */
export function namedId(request: NeutronRequest): string {
  return parameter(request, 'id').trim().toLowerCase();
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
