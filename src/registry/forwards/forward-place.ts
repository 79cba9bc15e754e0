import { hatobaError } from '../../model/errors.ts';
import { type ForwardSpec, GATEWAY, printForwardSpec } from '../../model/forward.ts';
import { printPortRange } from '../../model/port-range.ts';
import type { Gateways } from '../../model/router.ts';

/** Whether both wish for the same in every respect. */
export function sameSpec(a: ForwardSpec, b: ForwardSpec): boolean {
  return JSON.stringify(printForwardSpec(a)) === JSON.stringify(printForwardSpec(b));
}

/** Whether both take the same packets, whatever they do with them. */
export function samePlace(a: ForwardSpec, b: ForwardSpec): boolean {
  return placeOf(a) === placeOf(b);
}

/** Equal for two specs that take the same packets, as far as that can be told without knowing gateways. */
export function placeOf(spec: ForwardSpec): string {
  const { router, protocol, externalAddress, externalPorts, sources } = spec;
  const external = externalAddress === GATEWAY ? `${GATEWAY}${spec.internalAddress.family}` : externalAddress.text;
  return [router, protocol, external, printPortRange(externalPorts), ...sources.map(({ text }) => text)].join(' ');
}

/** The error `forward_conflict`; `other`: how the forward in the way is called. */
export function conflictError(spec: ForwardSpec, other: string, gateways: Gateways): Error {
  const { externalAddress, protocol, externalPorts } = spec;
  const external = externalAddress === GATEWAY ? gateways[spec.internalAddress.family] : externalAddress;
  const parameters = {
    protocol,
    port: printPortRange(externalPorts),
    address: external?.text ?? GATEWAY,
    other,
  };
  return hatobaError('forward_conflict', parameters, { field: 'external_port' });
}
