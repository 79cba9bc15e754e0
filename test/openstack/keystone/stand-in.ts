import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

const HOUR_MS = 3_600_000;

/** What a token is for; what is left out is a member's of the project p1, for an hour. */
export interface TokenParts {
  readonly user?: string;
  readonly roles?: readonly string[];
  /** As Keystone says it. */
  readonly scope?: Readonly<Record<string, unknown>>;
  readonly lifetimeMs?: number;
}

/** Plays Keystone's part: it answers as a real one does, as far as hatoba reads that. */
export interface StandIn extends AsyncDisposable {
  readonly url: string;
  /** Of each request, what it wanted: `POST` is a login, `GET` a check. */
  readonly requests: ('GET' | 'POST')[];
  /** What was sent with the last login. */
  lastLogin: unknown;
  /** Makes a token. */
  issue(parts?: TokenParts): string;
  revoke(token: string): void;
  /** As if its keys were others now: nobody has a valid token any more. */
  forgetAll(): void;
  /** What it does instead of answering, until it is `null` again. */
  instead: ((response: ServerResponse, request: IncomingMessage) => void) | null;
  password: string;
  /** Of the service's own tokens. */
  lifetimeMs: number;
  /** Resolves once a check has come; answers to checks are held back until the function that it gives is called. */
  hold(): Promise<() => void>;
}

export interface Tls {
  readonly key: string;
  readonly cert: string;
}

export async function startStandIn(tls: Tls | null = null): Promise<StandIn> {
  const tokens = new Map<string, Required<TokenParts>>();
  const held = { arrived: (): void => {}, released: Promise.resolve() };

  function issue(parts: TokenParts = {}): string {
    const token = randomUUID();
    const scope = { project: { id: 'p1', name: 'One' } };
    tokens.set(token, { user: 'alice', roles: ['member'], scope, lifetimeMs: HOUR_MS, ...parts });
    return token;
  }

  async function logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: unknown = JSON.parse(await text(request));
    keystone.lastLogin = body;
    if (!JSON.stringify(body).includes(`"password":${JSON.stringify(keystone.password)}`)) return refuse(response, 401);
    const token = issue({ user: 'hatoba', roles: ['service'], lifetimeMs: keystone.lifetimeMs });
    show(response, 201, token);
  }

  async function check({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    held.arrived();
    await held.released;
    if (!tokens.has(String(headers['x-auth-token']))) return refuse(response, 401);
    const subject = String(headers['x-subject-token']);
    if (tokens.has(subject)) show(response, 200, subject);
    else refuse(response, 404);
  }

  function show(response: ServerResponse, status: number, token: string): void {
    const { user = '', roles = [], scope = {}, lifetimeMs = 0 } = tokens.get(token) ?? {};
    const issued = Date.now();
    const document = {
      methods: ['password'],
      user: { id: user, name: user, domain: { id: 'default', name: 'Default' }, password_expires_at: null },
      roles: roles.map((name) => ({ id: name, name })),
      issued_at: microseconds(issued),
      expires_at: microseconds(issued + lifetimeMs),
      ...scope,
    };
    response.writeHead(status, { 'content-type': 'application/json', 'x-subject-token': token });
    response.end(JSON.stringify({ token: document }));
  }

  const listener: RequestListener = (request, response) => {
    const { method, url } = request;
    if (keystone.instead !== null) return keystone.instead(response, request);
    if (url !== '/v3/auth/tokens?nocatalog' || (method !== 'GET' && method !== 'POST')) return refuse(response, 404);
    keystone.requests.push(method);
    void (method === 'POST' ? logIn(request, response) : check(request, response));
  };
  const server = tls === null ? createServer(listener) : createSecureServer({ ...tls }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const keystone: StandIn = {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${portOf(server.address())}`,
    requests: [],
    lastLogin: null,
    instead: null,
    password: 'secret',
    lifetimeMs: HOUR_MS,
    issue,
    revoke: (token) => void tokens.delete(token),
    forgetAll: () => tokens.clear(),
    async hold() {
      const arrival = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      Object.assign(held, { arrived: arrival.resolve, released: release.promise });
      await arrival.promise;
      return release.resolve;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return keystone;
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code: status, message: 'refused', title: 'Refused' } }));
}

/** The form in which Keystone writes times. */
function microseconds(time: number): string {
  return new Date(time).toISOString().replace('Z', '000Z');
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
