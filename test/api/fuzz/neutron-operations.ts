import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Method, Operation, Parameter, Schema } from './schema.ts';

/** What OpenStack describes, as far as it is served here; under `/v2.0`, and the versions at `/`. */
export function neutronOperations(): readonly Operation[] {
  return [
    operation('listVersions', 'GET', '/', { answers: { 200: object({ versions: LIST }) } }),
    operation('listResources', 'GET', '/v2.0/', { answers: { 200: object({ resources: LIST }) } }),
    operation('listExtensions', 'GET', '/v2.0/extensions', { answers: { 200: object({ extensions: LIST }) } }),
    operation('showExtension', 'GET', '/v2.0/extensions/{alias}', { answers: { 200: object({ extension: THING }) } }),
    ...Object.keys(FILTERS).flatMap((name) => lookups(name)),
    operation('createFloatingIp', 'POST', '/v2.0/floatingips', { body: envelope('floatingip', { description: TEXT }) }),
    operation('updateFloatingIp', 'PUT', '/v2.0/floatingips/{floatingip}', {
      body: envelope('floatingip', { description: TEXT }),
      answers: { 200: object({ floatingip: FLOATING_IP }) },
    }),
    operation('deleteFloatingIp', 'DELETE', '/v2.0/floatingips/{floatingip}', {}),
    ...forwardings(),
  ];
}

/** Floating IPs come and go with routers, and there are no pools of subnets. */
export const NEVER_DONE = ['show subnetpool', 'createFloatingIp', 'deleteFloatingIp'];

interface Shape {
  readonly query?: readonly string[];
  readonly body?: Schema;
  readonly answers?: Readonly<Record<number, Schema>>;
}

const TEXT: Schema = { type: 'string' };
const THING: Schema = { type: 'object' };
const LIST: Schema = { type: 'array', items: THING };
const LIST_QUERY = ['fields', 'sort_key', 'limit', 'marker', 'page_reverse', 'id'];
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  network: ['name', 'project_id', 'status'],
  subnet: ['name', 'project_id', 'network_id'],
  subnetpool: ['name', 'project_id'],
  router: ['name', 'project_id', 'status'],
  port: ['name', 'network_id', 'fixed_ips'],
  floatingip: ['router_id', 'floating_ip_address', 'status'],
};
const FORWARDINGS = '/v2.0/floatingips/{floatingip}/port_forwardings';

function lookups(name: string): readonly Operation[] {
  const query = [...LIST_QUERY, ...(FILTERS[name] ?? [])];
  const parameter = name === 'floatingip' ? 'floatingip' : 'thing';
  const answers = { 200: page(`${name}s`, name === 'floatingip' ? FLOATING_IP : THING) };
  const one = { 200: object({ [name]: name === 'floatingip' ? FLOATING_IP : THING }) };
  return [
    operation(`list ${name}s`, 'GET', `/v2.0/${name}s`, { query, answers }),
    operation(`show ${name}`, 'GET', `/v2.0/${name}s/{${parameter}}`, { query: ['fields'], answers: one }),
  ];
}

function forwardings(): readonly Operation[] {
  const query = [...LIST_QUERY, 'external_port', 'internal_port', 'protocol', 'internal_ip_address'];
  const one = object({ port_forwarding: FORWARDING });
  const wish = { ...WISH, project_id: TEXT };
  const body = envelope('port_forwarding', wish, REQUIRED);
  const bulk = object({
    port_forwardings: { type: 'array', items: { ...THING, properties: wish, required: REQUIRED } },
  });
  const created: Schema = { anyOf: [one, object({ port_forwardings: { type: 'array', items: FORWARDING } })] };
  return [
    operation('list port_forwardings', 'GET', FORWARDINGS, {
      query,
      answers: { 200: page('port_forwardings', FORWARDING) },
    }),
    operation('create port_forwarding', 'POST', FORWARDINGS, {
      body: { anyOf: [body, body, bulk] },
      answers: { 201: created },
    }),
    operation('show port_forwarding', 'GET', `${FORWARDINGS}/{forwarding}`, {
      query: ['fields'],
      answers: { 200: one },
    }),
    operation('update port_forwarding', 'PUT', `${FORWARDINGS}/{forwarding}`, {
      body: envelope('port_forwarding', WISH),
      answers: { 200: one },
    }),
    operation('delete port_forwarding', 'DELETE', `${FORWARDINGS}/{forwarding}`, { answers: { 204: {} } }),
  ];
}

const REQUIRED = ['internal_ip_address', 'protocol', 'internal_port_id', 'external_port', 'internal_port'];
const WISH: Readonly<Record<string, Schema>> = {
  protocol: { enum: ['tcp', 'udp'] },
  internal_ip_address: TEXT,
  internal_port_id: TEXT,
  external_port: { type: 'integer', minimum: 1, maximum: 65_535 },
  internal_port: { type: 'integer', minimum: 1, maximum: 65_535 },
  external_port_range: TEXT,
  internal_port_range: TEXT,
  description: TEXT,
  'hatoba:name': TEXT,
  'hatoba:sources': { type: 'array', items: TEXT },
  'hatoba:enabled': { type: 'boolean' },
  'hatoba:expires_at': TEXT,
};

/** `fields` leaves out any of them. */
const FORWARDING: Schema = {
  type: 'object',
  properties: {
    id: TEXT,
    external_port: { type: ['integer', 'null'] },
    internal_port: { type: ['integer', 'null'] },
    external_port_range: TEXT,
    internal_port_range: TEXT,
    internal_port_id: { type: ['string', 'null'] },
    internal_ip_address: TEXT,
    protocol: TEXT,
    description: TEXT,
    'hatoba:name': { type: ['string', 'null'] },
    'hatoba:sources': { type: 'array', items: TEXT },
    'hatoba:enabled': { type: 'boolean' },
    'hatoba:expires_at': { type: ['string', 'null'] },
    'hatoba:state': TEXT,
    'hatoba:message': { type: ['string', 'null'] },
    'hatoba:warnings': { type: 'array', items: TEXT },
    'hatoba:counters': { type: ['object', 'null'] },
  },
  additionalProperties: false,
};

const FLOATING_IP: Schema = {
  type: 'object',
  properties: {
    id: TEXT,
    tenant_id: TEXT,
    project_id: TEXT,
    floating_ip_address: TEXT,
    floating_network_id: TEXT,
    router_id: TEXT,
    port_id: { type: ['string', 'null'] },
    fixed_ip_address: { type: ['string', 'null'] },
    status: { enum: ['ACTIVE'] },
    description: TEXT,
    port_details: { type: ['object', 'null'] },
    port_forwardings: LIST,
    tags: { type: 'array', items: TEXT },
    // Of lists for a project.
    portforwardings: LIST,
    created_at: TEXT,
    updated_at: TEXT,
    revision_number: { type: 'integer', minimum: 0 },
  },
  additionalProperties: false,
};

function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function page(collection: string, item: Schema): Schema {
  const links = { [`${collection}_links`]: LIST };
  const { properties = {}, ...rest } = object({ [collection]: { type: 'array', items: item } });
  return { ...rest, properties: { ...properties, ...links } };
}

function envelope(
  name: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return object({ [name]: { type: 'object', properties, required } });
}

function operation(id: string, method: Method, path: string, { query = [], body, answers = {} }: Shape): Operation {
  const ajv = new Ajv2020({ strict: false });
  const known = new Map(Object.entries(answers).map(([status, schema]) => [status, ajv.compile(schema)]));
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
  const parameters = [
    ...inPath.map((name): Parameter => ({ in: 'path', name, schema: TEXT })),
    ...query.map((name): Parameter => {
      const parameter = { in: 'query', name, schema: TEXT } as const;
      return name === 'sort_key' ? { ...parameter, companion: 'sort_dir=desc' } : parameter;
    }),
  ];
  return {
    id,
    method,
    path,
    parameters,
    body: body ?? null,
    misfit: (status, document) => {
      const validate = known.get(String(status));
      if (validate === undefined) return `it is not expected to answer ${status}`;
      return status === 204 || validate(document) ? null : ajv.errorsText(validate.errors);
    },
  };
}
