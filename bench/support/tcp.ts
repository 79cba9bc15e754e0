import { createServer } from 'node:net';

/** A port of the loopback that nobody has at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A new API token of the daemon, for the project; by default for all. */
export async function issueToken(
  daemon: { call(method: string, path: string, body?: unknown): Promise<unknown> },
  name: string,
  role: string,
  project?: string,
): Promise<string> {
  const token = await daemon.call('POST', '/v1/tokens', {
    name,
    role,
    ...(project === undefined ? {} : { project }),
  });
  if (typeof token === 'object' && token !== null && 'secret' in token) return String(token.secret);
  throw new Error(`no token: ${JSON.stringify(token)}`);
}
