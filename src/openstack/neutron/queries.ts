import type { IncomingMessage } from 'node:http';
import type { Credentials } from './credentials.ts';
import { NeutronRefusal } from './refusal.ts';
import type { Upstream } from './upstream.ts';

/** What Neutron tells, not yet looked into. */
export interface Queries {
  /**
   * What is at a path, `null` where nothing is, for whom this asks. Errors: `NeutronRefusal`, `neutron_unavailable`.
   */
  one(credentials: Credentials, path: string): Promise<unknown>;
  /**
   * Every item of a collection, page by page where Neutron makes pages of it. Errors: as above; where Neutron has no such
   * collection, its refusal is 404.
   */
  all(credentials: Credentials, collection: string, query: URLSearchParams): Promise<readonly unknown[]>;
}

/** A list of 10,000 things is a tenth of that. */
const LONGEST = 256 << 20;

export function createQueries(upstream: Upstream): Queries {
  async function one(credentials: Credentials, path: string): Promise<unknown> {
    try {
      return await ask(credentials, path);
    } catch (error) {
      if (error instanceof NeutronRefusal && error.status === 404) return null;
      throw error;
    }
  }

  async function ask(credentials: Credentials, path: string): Promise<unknown> {
    const headers = [['Host', upstream.url.host] as const, ['Accept', 'application/json'] as const, ...credentials];
    const answer = await upstream.send({ method: 'GET', path, headers, body: null });
    const { statusCode = 0 } = answer;
    const body = await textOf(answer, upstream);
    if (statusCode === 200) return parse(body, upstream);
    if (statusCode < 400 || statusCode >= 500)
      throw upstream.unavailable(`it has answered GET ${path.split('?')[0]} with ${statusCode}`);
    throw new NeutronRefusal(statusCode, answer.headers, body);
  }

  async function all(
    credentials: Credentials,
    collection: string,
    query: URLSearchParams,
  ): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    for (let next: string | null = String(query); next !== null; ) {
      const answer = asRecord(await ask(credentials, `/v2.0/${collection}?${next}`));
      const items = answer[collection];
      if (!Array.isArray(items)) throw upstream.unavailable(`it has no ${collection}`);
      found.push(...items);
      next = items.length === 0 ? null : nextQuery(answer[`${collection}_links`]);
    }
    return found;
  }

  return { one, all };
}

async function textOf(answer: IncomingMessage, upstream: Upstream): Promise<string> {
  answer.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > LONGEST) throw new Error('its answer is too long');
    }
  } catch (error) {
    throw upstream.unavailable('its answer has broken off', error);
  }
  return text;
}

function parse(text: string, upstream: Upstream): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw upstream.unavailable('its answer is no JSON', error);
  }
}

/** Of a link to the next page only the query is taken: the server is known. */
function nextQuery(links: unknown): string | null {
  if (!Array.isArray(links)) return null;
  const next = links.map(asRecord).find(({ rel }) => rel === 'next');
  return next === undefined ? null : String(next['href']).replace(/^[^?]*\??/, '');
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
