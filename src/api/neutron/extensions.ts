import type { FastifyInstance } from 'fastify';
import { READ, WRITE } from '../access/access.ts';
import type { Document } from './documents.ts';
import { NeutronFault } from './faults.ts';
import { type NeutronRequest, parameter, serve } from './serving.ts';

export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  readonly updated: string;
}

/** What is served of Neutron's extensions, worded as Neutron 21 does (neutron-lib, api/definitions). */
export const EXTENSIONS: readonly Extension[] = [
  {
    alias: 'router',
    name: 'Neutron L3 Router',
    description:
      'Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks via a NAT gateway.',
    updated: '2012-07-20T10:00:00-00:00',
  },
  {
    alias: 'external-net',
    name: 'Neutron external network',
    description: 'Adds external network attribute to network resource.',
    updated: '2013-01-14T10:00:00-00:00',
  },
  {
    alias: 'floating-ip-port-forwarding',
    name: 'Floating IP Port Forwarding',
    description: 'Allow port forwarding from floating IP port to an internal port',
    updated: '2018-01-19T10:00:00-00:00',
  },
  {
    alias: 'expose-port-forwarding-in-fip',
    name: 'Expose Floating IP port forwardings',
    description: 'Expose port forwarding fields in floating IP response',
    updated: '2018-06-28T16:00:00-00:00',
  },
  {
    alias: 'floating-ip-port-forwarding-description',
    name: 'Floating IP Port Forwarding new attribute description',
    description: 'Add a description field to Port Forwarding rules',
    updated: '2019-11-01T10:00:00-00:00',
  },
  {
    alias: 'floating-ip-port-forwarding-port-ranges',
    name: 'Floating IP Port Forwarding support port ranges',
    // Neutron's spelling.
    description: 'Add suport to port ranges',
    updated: '2020-07-01T10:00:00-00:00',
  },
  {
    alias: 'floating-ip-port-forwarding-detail',
    name: 'Floating IP port forwarding detail',
    description: "Allow list floating ip return more port forwarding data, include'id' and 'internal_port_id'",
    updated: '2022-05-06T10:00:00-00:00',
  },
  {
    alias: 'fip-port-details',
    name: 'Floating IP Port Details Extension',
    description: 'Add port_details attribute to Floating IP resource',
    updated: '2018-04-09T10:00:00-00:00',
  },
  {
    alias: 'sorting',
    name: 'Sorting support',
    description: 'Extension that indicates that sorting is enabled.',
    updated: '2016-06-12T00:00:00-00:00',
  },
  {
    alias: 'pagination',
    name: 'Pagination support',
    description: 'Extension that indicates that pagination is enabled.',
    updated: '2016-06-12T00:00:00-00:00',
  },
  {
    alias: 'filter-validation',
    name: 'Filter parameters validation',
    description: 'Provides validation on filter parameters.',
    updated: '2018-07-04T10:00:00-00:00',
  },
  {
    alias: 'empty-string-filtering',
    name: 'Empty String Filtering Extension',
    description: 'Allow filtering by attributes with empty string value',
    updated: '2018-05-01T10:00:00-00:00',
  },
  {
    alias: 'project-id',
    name: 'project_id field enabled',
    description: 'Extension that indicates that project_id field is enabled.',
    updated: '2016-09-09T09:09:09-09:09',
  },
];

/** `extensions` and `extensions/{alias}`; nothing else than GET is there. */
export function serveExtensions(api: FastifyInstance): void {
  const none = { access: WRITE, handler: notThere };
  const others = { POST: none, PUT: none, DELETE: none };
  serve(api, '/extensions', {
    GET: { access: READ, handler: () => ({ extensions: EXTENSIONS.map(printExtension) }) },
    ...others,
  });
  serve(api, '/extensions/:alias', { GET: { access: READ, handler: show }, ...others });
}

function show(request: NeutronRequest): unknown {
  const alias = parameter(request, 'alias');
  const extension = EXTENSIONS.find((known) => known.alias === alias);
  if (extension === undefined) {
    throw new NeutronFault('ExtensionNotFound', `Extension with alias ${alias} does not exist`);
  }
  return { extension: printExtension(extension) };
}

export function printExtension(extension: Extension): Document {
  return { ...extension, links: [] };
}

function notThere(): never {
  throw new NeutronFault('HTTPNotFound', 'The resource could not be found.');
}
