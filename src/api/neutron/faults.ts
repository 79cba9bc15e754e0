/** Which HTTP status each of Neutron's exceptions is answered with; the names are those that its clients look at. */
export const FAULTS = {
  HTTPBadRequest: 400,
  BadRequest: 400,
  InvalidInput: 400,
  MalformedRequestBody: 400,
  HTTPUnauthorized: 401,
  HTTPForbidden: 403,
  PolicyNotAuthorized: 403,
  HTTPNotFound: 404,
  FloatingIPNotFound: 404,
  PortForwardingNotFound: 404,
  PortNotFound: 404,
  RouterNotFound: 404,
  NetworkNotFound: 404,
  SubnetNotFound: 404,
  SubnetPoolNotFound: 404,
  ExtensionNotFound: 404,
  HTTPMethodNotAllowed: 405,
  PortHasBindingFloatingIP: 409,
  RouterInterfaceInUseByFloatingIP: 409,
  RouterExternalGatewayInUseByFloatingIp: 409,
  HTTPConflict: 409,
  FipInUseByPortForwarding: 409,
  OverQuota: 409,
  RevisionNumberConstraintFailed: 412,
  HTTPRequestEntityTooLarge: 413,
  HTTPTooManyRequests: 429,
  HTTPInternalServerError: 500,
  HTTPServiceUnavailable: 503,
} as const;

export type FaultType = keyof typeof FAULTS;

/** An error as Neutron words it, for whoever speaks its API. */
export class NeutronFault extends Error {
  override readonly name = 'NeutronFault';
  readonly type: FaultType;

  constructor(type: FaultType, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.type = type;
  }

  get status(): number {
    return FAULTS[this.type];
  }
}

/** The body of an error's answer. */
export interface FaultDocument {
  readonly NeutronError: { readonly type: string; readonly message: string; readonly detail: '' };
}

export function printFault({ type, message }: Pick<NeutronFault, 'type' | 'message'>): FaultDocument {
  return { NeutronError: { type, message, detail: '' } };
}

/** What is wrong with a request as a whole, in Neutron's own words for what its web framework finds. */
export function badRequest(message: string): NeutronFault {
  return new NeutronFault('HTTPBadRequest', message);
}

/** What is wrong with a port forwarding, in the words of its service plugin. */
export function badForwarding(reason: string): NeutronFault {
  return new NeutronFault('BadRequest', `Bad port_forwarding request: ${reason}.`);
}
