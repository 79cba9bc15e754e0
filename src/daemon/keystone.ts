import type { Logger } from 'pino';
import { hatobaError, reasonOf } from '../model/errors.ts';
import type { Keystone, KeystoneOptions } from '../openstack/keystone/keystone.ts';
import { readAuthorities } from './authorities.ts';
import type { Config } from './config-schema.ts';
import type { KeystoneKeys } from './keystone-schema.ts';
import { readNamedFile } from './named-file.ts';

/**
 * Who knows the owners of Keystone's tokens; `null`: nobody, as none is configured, and then nothing of it is loaded. Asks
 * Keystone nothing yet. Error: `config_malformed` where a file that is named cannot be used.
 */
export async function openKeystone({ keystone: keys }: Config, log: Logger): Promise<Keystone | null> {
  if (keys === null) return null;
  const options = keystoneOptions(keys);
  const { createKeystone } = await import('../openstack/keystone/keystone.ts');
  return createKeystone({ ...options, onAvailability: (trouble) => tell(log, trouble) });
}

/** Refuses early what would be no use later. Error: `config_malformed`. */
export function checkKeystone({ authentication, keystone: keys }: Config): void {
  if (keys === null) return;
  if (authentication === 'none') {
    const reason = 'keystone tells who callers are, but authentication: none asks nobody; write authentication: tokens';
    throw hatobaError('config_malformed', { file: 'the configuration', reason });
  }
  keystoneOptions(keys);
}

/** The configuration as the program has it: defaults decided, files read. Error: `config_malformed`. */
export function keystoneOptions(keys: KeystoneKeys): KeystoneOptions {
  const { user_domain: userDomain = 'Default', project_domain: projectDomain = 'Default' } = keys;
  const { admin_roles: admin = ['admin'], member_roles: member = ['member'], reader_roles: reader = ['reader'] } = keys;
  const { username, project, ca_file: caFile } = keys;
  return {
    authUrl: keys.auth_url,
    account: { username, password: passwordOf(keys), userDomain, project, projectDomain },
    ca: caFile === undefined ? null : readAuthorities(caFile),
    cacheSeconds: keys.cache_seconds ?? 60,
    roleNames: { admin, member, reader },
  };
}

function passwordOf({ password, password_file: file }: KeystoneKeys): string {
  if (file === undefined) return password ?? '';
  // Editors, and `echo`, put an end of line behind it.
  const [first = ''] = readNamedFile(file).split(/\r?\n/);
  if (first === '') throw hatobaError('config_malformed', { file, reason: 'there is no password in its first line' });
  return first;
}

/** The cause has what callers are not told, such as Keystone's address. */
function tell(log: Logger, trouble: unknown): void {
  if (trouble === null) {
    log.info('Keystone can be asked about tokens again');
  } else {
    const error = trouble instanceof Error ? (trouble.cause ?? trouble) : trouble;
    log.warn({ reason: reasonOf(trouble), error }, 'Keystone cannot be asked about tokens');
  }
}
