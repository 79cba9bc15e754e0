import type { Admit, Authenticate } from '../api/access/guard.ts';
import { authenticateLoopback } from '../api/access/local-callers.ts';
import type { Keystone } from '../openstack/keystone/keystone.ts';
import type { Tokens } from '../registry/tokens/tokens.ts';
import type { Config } from './config-schema.ts';

export interface TcpCallers {
  readonly authenticate: Authenticate;
  readonly admit: Admit;
}

/**
 * How callers on TCP are known, and how often they may ask. Who is not asked who they are is somebody on this machine, who
 * may as well use the socket: they are not limited. What is not configured is not loaded: it would make every start longer.
 */
export async function tcpCallers(
  { authentication, rate_limit: limit }: Config,
  tokens: Tokens,
  keystone: Keystone | null,
): Promise<TcpCallers> {
  if (authentication === 'none') return { authenticate: authenticateLoopback, admit: () => undefined };
  const { authenticateByToken } = await import('../api/access/token-callers.ts');
  const { admitAtRate } = await import('../api/access/limits.ts');
  return {
    authenticate: authenticateByToken(tokens, keystone),
    admit: limit === null ? () => undefined : admitAtRate({ perSecond: limit.requests_per_second, burst: limit.burst }),
  };
}
