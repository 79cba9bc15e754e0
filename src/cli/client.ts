import { type ApiClient, createApiClient } from '../client/api-client.ts';
import type {
  AdoptRequest,
  AdoptResult,
  ApplyResult,
  Backup,
  CleanupResult,
  Counters,
  Diagnosis,
  Forward,
  ForwardCreate,
  ForwardPage,
  ForwardPatch,
  ForwardRemoval,
  IssuedToken,
  Node,
  Operations,
  RecoverRequest,
  RecoverResult,
  Router,
  Status,
  Token,
  TokenCreate,
  TokenRevocation,
  Trace,
  TraceRequest,
} from '../client/operations.ts';
import type { Transport } from '../client/transport.ts';
import { HatobaError } from '../model/errors.ts';
import type { CliContext } from './context.ts';
import { type DaemonFlags, type DaemonPlace, placeOfDaemon, showsToken } from './daemon-place.ts';
import { codeOf, socketTransport } from './http.ts';

export type ForwardFilter = Omit<Operations['listForwards']['parameters'], 'limit' | 'marker'>;

/** How long an answer may wait for the kernel, in seconds as the user wrote them; undefined: the API's default. */
export type Wait = string | undefined;

/** The daemon's API, as far as the command line needs it. Errors: the API's own, `daemon_unreachable`, `not_permitted`. */
export interface Client {
  /** All that match, oldest first. */
  listForwards(filter: ForwardFilter): Promise<readonly Forward[]>;
  /** The oldest ones, in one request. */
  firstForwards(): Promise<ForwardPage>;
  /** Once, also where the connection breaks before the answer has come. */
  createForward(fields: ForwardCreate, wait: Wait): Promise<Forward>;
  getForward(reference: string): Promise<Forward>;
  /** `revision`: only if it still has that one. */
  updateForward(reference: string, fields: ForwardPatch, wait: Wait, revision?: string): Promise<Forward>;
  /** `drain`: its connections go on until they end by themselves. */
  removeForward(reference: string, wait: Wait, drain?: boolean): Promise<ForwardRemoval>;
  /** `request`: an `ApplyRequest` as the user wrote it; the API parses it. */
  apply(request: unknown, wait: Wait): Promise<ApplyResult>;
  adopt(request: AdoptRequest, wait: Wait): Promise<AdoptResult>;
  recover(request: RecoverRequest, wait: Wait): Promise<RecoverResult>;
  /** Takes out of the kernel what the store does not know. */
  cleanUp(): Promise<CleanupResult>;
  getBackup(): Promise<Backup>;
  /** `backup`: as it was read; the API parses it. */
  restore(backup: unknown, replace: boolean, wait: Wait): Promise<ApplyResult>;
  getCounters(forward: string): Promise<readonly Counters[]>;
  /** Of all forwards of the node, or (`router`) of one router, with how many flows there are now. */
  liveCounters(router?: string): Promise<readonly Counters[]>;
  listRouters(): Promise<readonly Router[]>;
  getRouter(reference: string): Promise<Router>;
  listTokens(): Promise<readonly Token[]>;
  createToken(fields: TokenCreate): Promise<IssuedToken>;
  getToken(reference: string): Promise<Token>;
  revokeToken(reference: string): Promise<TokenRevocation>;
  /** The one that answers, and all that have told of a router. */
  listNodes(): Promise<readonly Node[]>;
  getStatus(): Promise<Status>;
  /** Of one forward, or (`null`) of the node and its routers: all of them, or one. */
  diagnose(forward: string | null, router?: string): Promise<Diagnosis>;
  /** `wait`: how long a live trace waits for the packet. */
  trace(request: TraceRequest, wait: Wait): Promise<Trace>;
}

/** Beyond the time that was asked for: the daemon's own work, on a machine under load. */
const PATIENCE_MS = 30_000;
const LONGEST_WAIT_S = 60;
/** A node can have a thousand routers, whose rules are read one by one. */
const LONGEST_DIAGNOSIS_S = '90';

/**
 * `patienceMs`: how long the daemon may be silent. Warns of a token that others could read on the way. Error:
 * `usage_malformed`, for where it is.
 */
export function createClient(context: CliContext, flags: DaemonFlags, patienceMs = PATIENCE_MS): Client {
  const place = placeOfDaemon(context, flags);
  if (showsToken(place)) {
    context.process.stderr.write('hatoba: the token can be read on the way, since the URL is not https://\n');
  }

  /** Of a daemon that may take so much longer to answer. */
  function within(wait: Wait): ApiClient {
    const seconds = wait === undefined ? LONGEST_WAIT_S : Number(wait) || 0;
    return createApiClient(transportTo(place, patienceMs + seconds * 1000));
  }

  const soon = within('0');

  return Object.freeze<Client>({
    listForwards: async (filter) => {
      const forwards: Forward[] = [];
      for (let marker: string | null | undefined; marker !== null; ) {
        const page: ForwardPage = await soon.call('listForwards', { ...filter, marker });
        forwards.push(...page.forwards);
        marker = page.next;
      }
      return forwards;
    },
    firstForwards: () => soon.call('listForwards', {}),
    createForward: (fields, wait) => {
      const parameters = { wait, 'idempotency-key': process.getBuiltinModule('node:crypto').randomUUID() };
      return onceMore(() => within(wait).call('createForward', parameters, fields));
    },
    getForward: (reference) => soon.call('getForward', { reference }),
    updateForward: (reference, fields, wait, revision) => {
      return within(wait).call('updateForward', { reference, wait, 'if-match': revision }, fields);
    },
    removeForward: (reference, wait, drain = false) => {
      return within(wait).call('removeForward', { reference, wait, drain: drain ? 'true' : undefined });
    },
    apply: (request, wait) => within(wait).callUnread('applyForwards', { wait }, request),
    adopt: (request, wait) => within(wait).call('adoptRules', { wait }, request),
    recover: (request, wait) => within(wait).call('recoverForwards', { wait }, request),
    cleanUp: () => within('5').call('cleanUp', {}, {}),
    getBackup: () => soon.call('getBackup', {}),
    restore: (backup, replace, wait) => {
      return within(wait).callUnread('restoreBackup', { wait, replace: replace ? 'true' : undefined }, backup);
    },
    getCounters: async (forward) => (await soon.call('getCounters', { forward })).counters,
    liveCounters: async (router) => (await soon.call('getCounters', { router, live: 'true' })).counters,
    listRouters: async () => (await soon.call('listRouters', {})).routers,
    getRouter: (reference) => soon.call('getRouter', { reference }),
    listTokens: async () => (await soon.call('listTokens', {})).tokens,
    createToken: (fields) => soon.call('createToken', {}, fields),
    getToken: (reference) => soon.call('getToken', { reference }),
    revokeToken: (reference) => soon.call('revokeToken', { reference }),
    listNodes: async () => (await soon.call('listNodes', {})).nodes,
    getStatus: () => soon.call('getStatus', {}),
    diagnose: (reference, router) => {
      const api = within(LONGEST_DIAGNOSIS_S);
      return reference === null ? api.call('diagnoseNode', { router }) : api.call('diagnoseForward', { reference });
    },
    trace: (request, wait) => within(wait).call('tracePacket', {}, request),
  });
}

/** Does it again where the connection broke when the request had been sent, so that nobody knows what became of it. */
async function onceMore<Value>(send: () => Promise<Value>): Promise<Value> {
  try {
    return await send();
  } catch (error) {
    const isBroken = error instanceof HatobaError && BROKEN.includes(codeOf(error.cause));
    if (!isBroken) throw error;
    return await send();
  }
}

const BROKEN: readonly unknown[] = ['ECONNRESET', 'EPIPE'];

/** What only a URL needs is loaded only for one. */
function transportTo(place: DaemonPlace, timeoutMs: number): Transport {
  if (place.kind === 'socket') return socketTransport(place.path, timeoutMs);
  const name = place.url.href.replace(/\/+$/, '');
  return {
    place: name,
    exchange: async (call) => (await import('./url-exchange.ts')).exchangeByUrl(place, name, call, timeoutMs),
  };
}
