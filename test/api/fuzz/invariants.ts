import { expect } from 'vitest';
import { routedUrl } from '../../../src/api/neutron/paths.ts';
import { PROBLEM_TYPE } from '../../../src/api/problem.ts';
import type { ApiDescription } from './described-operations.ts';
import { type Answer, exchange } from './exchange.ts';
import type { Sent } from './requests.ts';
import { type Operation, operationAt } from './schema.ts';
import { ownersSeen } from './tenants.ts';
import { outOfReach, type World } from './world.ts';

export interface Judged {
  readonly world: World;
  readonly description: ApiDescription;
  /** Everything that can be asked, Neutron's included. */
  readonly operations: readonly Operation[];
}

/** Sends the request, and checks what is true of every answer. `said`: what was said before by whom this caller sees. */
export async function sendAndJudge(judged: Judged, sent: Sent, said = ''): Promise<Answer> {
  const { world } = judged;
  const { forwards, tokens } = world.bench.registry;
  const state = () => ({ revision: forwards.revision(), tokens: tokens.list().map(({ id }) => id) });
  const [before, others] = [state(), outOfReach(world, sent.caller)];
  const answer = await exchange(world, sent);
  const { status } = answer;
  expect(status < 500, `it answers ${status}: ${answer.body}`).toBe(true);
  if (status < 300) fitsItsSchema(judged, sent, answer);
  else isError(judged, sent, answer);
  const mayChange = status < 300 && sent.method !== 'GET' && sent.method !== 'HEAD' && sent.caller.role !== 'reader';
  if (!mayChange) expect(state(), 'it changed something').toEqual(before);
  expect(outOfReach(world, sent.caller), "it changed somebody else's").toEqual(others);
  tellsNothingOfOthers(world, sent, answer, said);
  return answer;
}

function fitsItsSchema({ operations }: Judged, { method }: Sent, { path, status, body }: Answer): void {
  if (method === 'HEAD') {
    expect(body).toBe('');
    return;
  }
  const operation = operationAt(operations, method, routedUrl(path));
  expect(operation, `nothing is described at ${method} ${path}, and it answers ${status}`).toBeDefined();
  expect(
    operation?.misfit(status, parse(body)),
    `${operation?.id} answers ${status} with ${body.slice(0, 2_000)}`,
  ).toBe(null);
}

function parse(body: string): unknown {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function isError({ description }: Judged, { method }: Sent, { path, status, headers, body }: Answer): void {
  expect(status, 'it sends elsewhere').toBeGreaterThanOrEqual(400);
  if (status === 401) expect(headers['www-authenticate']).toBe('Bearer');
  if (method === 'HEAD') {
    expect(body).toBe('');
    return;
  }
  const document = parse(body);
  // At `/`, there is Neutron’s list of versions, and nothing else of Neutron’s.
  const isNeutrons = /^\/v2\.0(?:\/|$)/.test(path) || (path === '/' && status !== 404);
  if (isNeutrons) {
    expect(document, 'it is no error of Neutron’s').toEqual({
      NeutronError: { type: expect.any(String), message: expect.any(String), detail: '' },
    });
    return;
  }
  expect(headers['content-type']).toContain(PROBLEM_TYPE);
  expect(description.problemMisfit(document), `it is no problem document: ${body}`).toBe(null);
  expect(document).toMatchObject({ status });
}

/** But what they have said themselves. */
function tellsNothingOfOthers(
  world: World,
  { caller, url, headers, body: asked = '' }: Sent,
  { headers: told, body }: Answer,
  said: string,
): void {
  const own = `${said} ${url} ${decode(url)} ${JSON.stringify(headers)} ${asked}`.toLowerCase();
  const seen = ownersSeen(caller);
  const secrets = [
    ...(['red', 'blue', 'nobody'] as const)
      .filter((owner) => !seen.includes(owner))
      .flatMap((owner) => world.secrets[owner]),
    ...world.tokenSecrets(),
  ];
  const text = `${JSON.stringify(told)} ${body}`;
  const leaked = secrets.filter((secret) => text.includes(secret) && !own.includes(secret.toLowerCase()));
  // The name of the token is what such a caller is called.
  expect(leaked, `it tells ${caller.name} of others: ${text}`).toEqual([]);
}

function decode(url: string): string {
  return url.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
}
