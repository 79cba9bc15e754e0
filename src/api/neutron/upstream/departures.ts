import type { Forward } from '../../../model/forward.ts';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import type { Forwards } from '../../../registry/registry.ts';
import type { Tell } from '../../audit.ts';
import { removeOrphans } from './orphans.ts';
import { portOf } from './port-label.ts';

/** What follows for forwards from a change that Neutron has made; each that goes is told of. */
export interface Departures {
  portDeleted(port: string, tell: Tell): Promise<void>;
  /** It may have other addresses now: Neutron is asked, as whoever has changed it. */
  portChanged(port: string, tell: Tell, credentials: Credentials): Promise<void>;
  routerDeleted(router: string, tell: Tell): Promise<void>;
}

export function createDepartures(neutron: NeutronClient, forwards: Forwards): Departures {
  function madeFor(port: string): readonly Forward[] {
    return forwards.list().filter((forward) => portOf(forward) === port);
  }

  return {
    async portDeleted(port, tell) {
      await removeOrphans(forwards, madeFor(port), tell);
    },
    async portChanged(port, tell, credentials) {
      const made = madeFor(port);
      const there = made.length === 0 ? null : await neutron.port(credentials, port);
      if (there === null) return;
      const addresses = there.fixed_ips.map(({ ip_address }) => ip_address);
      const orphans = made.filter(({ internalAddress }) => !addresses.includes(internalAddress.text));
      await removeOrphans(forwards, orphans, tell);
    },
    async routerDeleted(router, tell) {
      const made = [...forwards.ofRouter(router).values()].filter((forward) => portOf(forward) !== null);
      await removeOrphans(forwards, made, tell);
    },
  };
}
