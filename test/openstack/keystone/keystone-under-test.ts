import { createKeystone, type Keystone, type KeystoneOptions } from '../../../src/openstack/keystone/keystone.ts';

export const ACCOUNT = {
  username: 'hatoba',
  password: 'secret',
  userDomain: 'Default',
  project: 'service',
  projectDomain: 'Default',
} as const;

export const ROLE_NAMES = { admin: ['admin'], member: ['member'], reader: ['reader'] } as const;

export interface KeystoneUnderTest extends Keystone, Disposable {
  /** What was told about Keystone's availability, in order; `null`: it is there again. */
  readonly told: readonly unknown[];
}

export function keystoneOf(authUrl: string, differences: Partial<KeystoneOptions> = {}): KeystoneUnderTest {
  const told: unknown[] = [];
  const keystone = createKeystone({
    authUrl,
    account: ACCOUNT,
    ca: null,
    cacheSeconds: 60,
    roleNames: ROLE_NAMES,
    onAvailability: (trouble) => told.push(trouble),
    ...differences,
  });
  return { ...keystone, told, [Symbol.dispose]: () => keystone.close() };
}
