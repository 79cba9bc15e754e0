import type { FastifyInstance } from 'fastify';
import { READ } from '../access/access.ts';
import { serve, urlOf } from './serving.ts';

const RESOURCES = [
  ['network', 'networks'],
  ['subnet', 'subnets'],
  ['subnetpool', 'subnetpools'],
  ['port', 'ports'],
] as const;

/** `/`, which tells that there is version 2.0. */
export function serveVersions(api: FastifyInstance): void {
  serve(api, '/', {
    GET: {
      access: 'public',
      handler: (request) => {
        const href = `${urlOf(request).base}v2.0/`;
        return { versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href }] }] };
      },
    },
  });
}

/** `/v2.0/`, which tells what Neutron's core has. */
export function serveResources(api: FastifyInstance): void {
  serve(api, '/', {
    GET: {
      access: READ,
      handler: (request) => {
        const { base } = urlOf(request);
        const resources = RESOURCES.map(([name, collection]) => {
          return { name, collection, links: [{ rel: 'self', href: `${base}${collection}` }] };
        });
        return { resources };
      },
    },
  });
}
