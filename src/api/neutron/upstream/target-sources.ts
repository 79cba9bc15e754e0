import type { NeutronClient, NeutronFloatingIp, NeutronPort } from '../../../openstack/neutron/client.ts';
import type { Credentials } from '../../../openstack/neutron/credentials.ts';
import { insideOf } from './router-inside.ts';

/** What has to be known of Neutron to judge where a forward may lead. Errors: those of `NeutronClient`. */
export interface TargetSources {
  port(credentials: Credentials, id: string): Promise<NeutronPort | null>;
  floatingIpsOfPort(credentials: Credentials, port: string): Promise<readonly NeutronFloatingIp[]>;
  /** Subnets that the router has an interface in. */
  insideOf(credentials: Credentials, router: string): Promise<ReadonlySet<string>>;
}

/** For one request: what was asked for once is not asked for again. */
export function rememberAnswers(neutron: NeutronClient): TargetSources {
  return {
    port: once((credentials, id) => neutron.port(credentials, id)),
    floatingIpsOfPort: once((credentials, port) =>
      neutron.floatingIps(credentials, new URLSearchParams({ port_id: port })),
    ),
    insideOf: once((credentials, router) => insideOf(neutron, credentials, router)),
  };
}

type Question<Answer> = (credentials: Credentials, id: string) => Promise<Answer>;

/** The credentials are the same every time. */
function once<Answer>(ask: Question<Answer>): Question<Answer> {
  const asked = new Map<string, Promise<Answer>>();
  return (credentials, id) => {
    const answer = asked.get(id) ?? ask(credentials, id);
    asked.set(id, answer);
    return answer;
  };
}
