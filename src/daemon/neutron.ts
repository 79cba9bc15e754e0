import type { Logger } from 'pino';
import type { NeutronOptions } from '../api/neutron/options.ts';
import type { ServiceAccount } from '../api/neutron/upstream/account.ts';
import type { RouterOwners } from '../api/neutron/upstream/router-owners.ts';
import { HatobaError, reasonOf } from '../model/errors.ts';
import type { Keystone } from '../openstack/keystone/keystone.ts';
import { tokenCredentials } from '../openstack/neutron/credentials.ts';
import { createUpstream } from '../openstack/neutron/upstream.ts';
import { readAuthorities } from './authorities.ts';
import type { Config } from './config-schema.ts';

/** Between looks for ports that are gone, in seconds, unless the configuration says otherwise. */
const SWEEP_SECONDS = 60;

/** How Neutron's API is served, by the program's names. Error: `config_malformed` where a file that is named cannot be used. */
export function neutronOptions(
  { neutron }: Pick<Config, 'neutron'>,
  owners: RouterOwners,
  keystone: Pick<Keystone, 'ownToken' | 'identify'> | null,
  log: Pick<Logger, 'info' | 'warn'>,
): NeutronOptions {
  if (typeof neutron !== 'object') return {};
  const { single_port_ranges: singlePortRanges = true, upstream: url, upstream_ca_file: file } = neutron;
  if (url === undefined) return { singlePortRanges };
  const ca = file === undefined ? null : readAuthorities(file);
  const upstream = {
    upstream: createUpstream(new URL(url), { ca, onAvailability: (trouble) => tell(log, url, trouble) }),
    owners,
    account: () => accountOf(keystone),
    sweepInterval: (neutron.sweep_seconds ?? SWEEP_SECONDS) * 1_000,
  };
  return { singlePortRanges, upstream };
}

/** The cause has what callers are not told. */
function tell(log: Pick<Logger, 'info' | 'warn'>, url: string, trouble: unknown): void {
  if (trouble === null) {
    log.info({ url }, 'Neutron answers again');
  } else {
    const error = trouble instanceof Error ? (trouble.cause ?? trouble) : trouble;
    log.warn({ url, reason: reasonOf(trouble), error }, 'Neutron does not answer');
  }
}

/** Without a Keystone, Neutron can only be one that asks nobody, and shows everything. Error: `authentication_unavailable`. */
async function accountOf(keystone: Pick<Keystone, 'ownToken' | 'identify'> | null): Promise<ServiceAccount> {
  if (keystone === null) return { credentials: [], seesAll: true };
  const token = await keystone.ownToken();
  return { credentials: tokenCredentials(token), seesAll: await seesAll(keystone, token) };
}

/** An account that can do nothing here may still be shown things by Neutron. */
async function seesAll(keystone: Pick<Keystone, 'identify'>, token: string): Promise<boolean> {
  try {
    return (await keystone.identify(token))?.allProjects ?? false;
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'roles_useless') return false;
    throw error;
  }
}
