import { type ForwardSpec, GATEWAY, printForwardSpec } from '../model/forward.ts';
import type { Gateways } from '../model/router.ts';

/** Equal for specs that take the same packets to the same place. */
export function effectOf(spec: ForwardSpec, gateways: Gateways): string {
  const { router, external_port, internal_address, internal_port, sources } = printForwardSpec(spec);
  return [placeOf(spec, gateways), router, external_port, internal_address, internal_port, ...sources].join(' ');
}

/** Forwards in other places are never in conflict. */
export function placeOf(
  { protocol, externalAddress, internalAddress: { family } }: ForwardSpec,
  gateways: Gateways,
): string {
  const external = externalAddress === GATEWAY ? (gateways[family]?.text ?? GATEWAY) : externalAddress.text;
  return `${protocol} ${external}`;
}
