import type { Keeps } from './gateway-loss.ts';
import { readObject } from './json-body.ts';
import type { RouterOutside } from './router-outside.ts';

/** Of `PUT routers/{id}`, with `{"router": {"external_gateway_info": …}}`. */
export function keptByUpdate(body: Buffer): Keeps {
  const router = readObject(readObject(body).get('router'));
  return (outside) => !router.has('external_gateway_info') || isKept(router.get('external_gateway_info'), outside);
}

/** Of `update_external_gateways`: the first is the one that `external_gateway_info` shows; none removes all. */
export function keptByGateways(body: Buffer): Keeps {
  const router = readObject(readObject(body).get('router'));
  const gateways = router.get('external_gateways');
  return (outside) => {
    if (!router.has('external_gateways')) return true;
    return Array.isArray(gateways) && gateways.length > 0 ? isKept(gateways[0], outside) : !isNothing(gateways);
  };
}

/** Of `remove_external_gateways`, each by its network and, where a router has several there, by its addresses. */
export function keptByRemoval(body: Buffer): Keeps {
  const gateways = readObject(readObject(body).get('router')).get('external_gateways');
  return (outside) => !(Array.isArray(gateways) && gateways.some((gateway) => isRemoved(readObject(gateway), outside)));
}

function isRemoved(gateway: ReadonlyMap<string, unknown>, { networkId, address }: RouterOutside): boolean {
  if (gateway.get('network_id') !== networkId) return false;
  const fixedIps = gateway.get('external_fixed_ips');
  if (!Array.isArray(fixedIps) || fixedIps.length === 0) return true;
  return fixedIps.some((fixedIp) => readObject(fixedIp).get('ip_address') === address.text);
}

/** A subnet without an address keeps the address that there is in it (Neutron, db/ipam_backend_mixin.py). */
function isKept(info: unknown, { networkId, subnetId, address }: RouterOutside): boolean {
  if (isNothing(info)) return false;
  const network = readObject(info).get('network_id');
  if (typeof network !== 'string') return true;
  if (network !== networkId) return false;
  const fixedIps = readObject(info).get('external_fixed_ips');
  if (!Array.isArray(fixedIps) || fixedIps.length === 0) return true;
  return fixedIps.map(readObject).some((fixedIp) => {
    const wanted = fixedIp.get('ip_address');
    return isNothing(wanted) ? fixedIp.get('subnet_id') === subnetId : wanted === address.text;
  });
}

/** What is false in Python, by which Neutron clears a gateway: `null`, `{}`, `[]`, `""`, `0`, `false`. */
function isNothing(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
}
