import { sourcesOverlap } from './cidr.ts';
import { type ForwardSpec, GATEWAY } from './forward.ts';
import { portsOverlap } from './port-range.ts';
import type { Gateways } from './router.ts';

/**
 * Whether some packet could be meant for both: same router, protocol and resolved external address,
 * overlapping ports and sources. `gateways` are the router's addresses now, where known.
 * Disabled forwards count: they keep their place.
 */
export function conflict(a: ForwardSpec, b: ForwardSpec, gateways: Gateways): boolean {
  return (
    a.router === b.router &&
    a.protocol === b.protocol &&
    a.internalAddress.family === b.internalAddress.family &&
    externalText(a, gateways) === externalText(b, gateways) &&
    portsOverlap(a.externalPorts, b.externalPorts) &&
    sourcesOverlap(a.sources, b.sources)
  );
}

function externalText(spec: ForwardSpec, gateways: Gateways): string {
  if (spec.externalAddress !== GATEWAY) return spec.externalAddress.text;
  return gateways[spec.internalAddress.family]?.text ?? GATEWAY;
}
