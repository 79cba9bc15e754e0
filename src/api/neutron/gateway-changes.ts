import { readDescription, readUuid } from './attribute-values.ts';
import type { Document } from './documents.ts';
import { type Attributes, openEnvelope } from './envelope.ts';
import { badRequest, NeutronFault } from './faults.ts';

/** What Neutron lets a PUT of a floating IP say, with its extensions (neutron-lib, api/definitions/l3.py and qos_fip.py). */
const WRITABLE = ['port_id', 'fixed_ip_address', 'description', 'qos_policy_id'];

/**
 * Judges a PUT of a gateway's floating IP, in Neutron's order and words. Returns if it asks for nothing that is not so already,
 * such as `{}` or `port_id: null`. Errors: `HTTPBadRequest`, `BadRequest`; `FipInUseByPortForwarding` for a port, where there
 * are forwards; `HTTPConflict` for all else, since a gateway's address, project and description are its router's.
 */
export function refuseGatewayUpdate(body: unknown, { document, isInUse }: GatewayState): void {
  const attributes = openEnvelope(body, 'floatingip');
  refuseReadOnly(attributes, document);
  const { port_id = null, fixed_ip_address = null, qos_policy_id = null, description = '' } = attributes;
  if (port_id !== null) readUuid(port_id, 'port_id');
  if (description !== '') readDescription(description, 'description');
  if (fixed_ip_address !== null && port_id === null) {
    throw new NeutronFault(
      'BadRequest',
      'Bad floatingip request: fixed_ip_address cannot be specified without a port_id.',
    );
  }
  if (port_id !== null && isInUse) throw inUse(document);
  if (port_id !== null || qos_policy_id !== null || description !== '') throw notToBeChanged();
}

/** Errors: `FipInUseByPortForwarding`, where there are forwards; else `HTTPConflict`. */
export function refuseGatewayDeletion({ document, isInUse }: GatewayState): never {
  throw isInUse ? inUse(document) : notToBeChanged();
}

export interface GatewayState {
  /** The floating IP as it is shown. */
  readonly document: Document;
  readonly isInUse: boolean;
}

/** For floating IPs that are routers' own addresses. */
export function notToBeChanged(): NeutronFault {
  const message = "The floating IPs here are routers' own addresses, which come and go with the routers.";
  return new NeutronFault('HTTPConflict', message);
}

function refuseReadOnly(attributes: Attributes, document: Document): void {
  const given = Object.keys(attributes).filter((attribute) => !WRITABLE.includes(attribute));
  const unknown = given.filter((attribute) => !(attribute in document));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  const [readOnly] = given;
  if (readOnly !== undefined) throw badRequest(`Cannot update read-only attribute ${readOnly}`);
}

function inUse({ id }: Document): NeutronFault {
  return new NeutronFault('FipInUseByPortForwarding', `Floating IP ${String(id)} in use by Port Forwarding resources.`);
}
