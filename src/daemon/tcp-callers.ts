import type { Authenticate } from '../api/access/guard.ts';
import { authenticateLoopback } from '../api/access/local-callers.ts';
import type { Keystone } from '../openstack/keystone/keystone.ts';
import type { Tokens } from '../registry/tokens.ts';
import type { Config } from './config-schema.ts';

/** How callers on TCP are known. What is not configured is not loaded: it would make every start longer. */
export async function tcpCallers(
  { authentication }: Config,
  tokens: Tokens,
  keystone: Keystone | null,
): Promise<Authenticate> {
  if (authentication === 'none') return authenticateLoopback;
  const { authenticateByToken } = await import('../api/access/token-callers.ts');
  return authenticateByToken(tokens, keystone && ((token) => keystone.identify(token)));
}
