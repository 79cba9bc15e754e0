import type { Address } from '../../model/address.ts';
import type { PortRange } from '../../model/port-range.ts';
import type { Protocol } from '../../model/protocol.ts';
import {
  readAddress,
  readDescription,
  readFlag,
  readPort,
  readPorts,
  readProjectId,
  readProtocol,
  readTextOrNull,
  readTexts,
  readUuid,
} from './attribute-values.ts';
import type { Attributes } from './envelope.ts';
import { isExtra, READABLE_EXTRAS, WRITABLE_EXTRAS } from './extras.ts';
import { badForwarding, badRequest } from './faults.ts';

/** What a body says of one port forwarding; what it leaves out is undefined. */
export interface ForwardingWish {
  readonly protocol: Protocol | undefined;
  readonly portId: string | undefined;
  readonly internalAddress: Address | undefined;
  readonly externalPorts: PortRange | undefined;
  readonly internalPorts: PortRange | undefined;
  readonly description: string | undefined;
  readonly projectId: string | undefined;
  readonly extras: WishedExtras;
  /** Whether it says anything that only hatoba knows. */
  readonly usesExtras: boolean;
}

/** By the names that hatoba's own API has for them; checked by the model, which has the last word. */
export interface WishedExtras {
  readonly name?: string | null;
  readonly sources?: readonly string[];
  readonly enabled?: boolean;
  readonly expires_at?: string | null;
}

type Operation = 'create' | 'update';

const REQUIRED = ['internal_ip_address', 'protocol', 'internal_port_id'];
const READ_ONLY: readonly string[] = ['id', ...READABLE_EXTRAS];
const PROJECT = ['project_id', 'tenant_id'];
const PORTS = ['external_port', 'internal_port', 'external_port_range', 'internal_port_range'];
const KNOWN: readonly string[] = [
  ...READ_ONLY,
  ...PROJECT,
  ...REQUIRED,
  ...PORTS,
  'description',
  ...Object.keys(WRITABLE_EXTRAS),
];

/**
 * Reads the attributes of a POST or PUT, in the order in which Neutron does, so that of several mistakes the same one is
 * told. Errors: `HTTPBadRequest`, `InvalidInput`, `BadRequest`.
 */
export function readWish(attributes: Attributes, operation: Operation): ForwardingWish {
  refuseUnknown(attributes);
  if (operation === 'create') refuseIncomplete(attributes);
  else refuseReadOnly(attributes);
  const read = <Value>(attribute: string, reader: (value: unknown, attribute: string) => Value): Value | undefined =>
    attribute in attributes ? reader(attributes[attribute], attribute) : undefined;

  const projectId = read('project_id', readProjectId) ?? read('tenant_id', readProjectId);
  const externalPort = read('external_port', readPort);
  const internalPort = read('internal_port', readPort);
  const internalAddress = read('internal_ip_address', readAddress);
  const protocol = read('protocol', readProtocol);
  const portId = read('internal_port_id', readUuid);
  const description = read('description', readDescription);
  const externalPorts = oneOf('external', externalPort, read('external_port_range', readPorts));
  const internalPorts = oneOf('internal', internalPort, read('internal_port_range', readPorts));
  if (operation === 'create') {
    requirePorts('external_port', externalPorts);
    requirePorts('internal_port', internalPorts);
  }
  return {
    protocol,
    portId,
    internalAddress,
    externalPorts,
    internalPorts,
    description,
    projectId,
    extras: readExtras(read),
    usesExtras: Object.keys(attributes).some(isExtra),
  };
}

function refuseUnknown(attributes: Attributes): void {
  const unknown = Object.keys(attributes).filter((attribute) => !KNOWN.includes(attribute));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  const [project, tenant] = PROJECT.map((attribute) => attributes[attribute]);
  if (project !== undefined && tenant !== undefined && project !== tenant) {
    throw badRequest("'project_id' and 'tenant_id' do not match");
  }
}

function refuseIncomplete(attributes: Attributes): void {
  const given = READ_ONLY.find((attribute) => attribute in attributes);
  if (given !== undefined) throw badRequest(`Attribute '${given}' not allowed in POST`);
  const missing = REQUIRED.find((attribute) => !(attribute in attributes));
  if (missing !== undefined) throw missingAttribute(missing);
}

function refuseReadOnly(attributes: Attributes): void {
  const given = [...READ_ONLY, ...PROJECT].find((attribute) => attribute in attributes);
  if (given !== undefined) throw badRequest(`Cannot update read-only attribute ${given}`);
}

/** Neutron itself does not look, and ends in an internal error. */
function requirePorts(attribute: string, ports: PortRange | undefined): void {
  if (ports === undefined) throw missingAttribute(attribute);
}

function missingAttribute(attribute: string): Error {
  return badRequest(`Failed to parse request. Required attribute '${attribute}' not specified`);
}

/** Neutron's own reference forbids both at once; Neutron takes one of them, now this, now that. */
function oneOf(
  side: 'external' | 'internal',
  port: PortRange | null | undefined,
  range: PortRange | null | undefined,
): PortRange | undefined {
  const [one = null, other = null] = [port, range];
  if (one !== null && other !== null) {
    throw badForwarding(`${side}_port and ${side}_port_range cannot be given together`);
  }
  return one ?? other ?? undefined;
}

function readExtras(
  read: <Value>(attribute: string, reader: (value: unknown, attribute: string) => Value) => Value | undefined,
): WishedExtras {
  const name = read('hatoba:name', readTextOrNull);
  const sources = read('hatoba:sources', readTexts);
  const enabled = read('hatoba:enabled', readFlag);
  const expires_at = read('hatoba:expires_at', readTextOrNull);
  return {
    ...(name === undefined ? {} : { name }),
    ...(sources === undefined ? {} : { sources }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(expires_at === undefined ? {} : { expires_at }),
  };
}
