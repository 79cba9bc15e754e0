import type {
  AdoptResult,
  ApplyResult,
  Backup,
  CountersDocument,
  DiagnosisDocument,
  ForwardDocument,
  ForwardPage,
  ForwardRemoval,
  RouterDocument,
  StatusDocument,
  TraceDocument,
} from '../api/v1/types.ts';
import { ERRORS, type ErrorCode } from '../model/error-catalogue.ts';
import { HatobaError, hatobaError } from '../model/errors.ts';
import { type CliContext, socketPath } from './context.ts';
import { type Guard, isRecord } from './guards.ts';
import { exchange, type HttpCall } from './http.ts';
import {
  isAdoptResult,
  isApplyResult,
  isBackup,
  isCounterList,
  isDiagnosis,
  isForward,
  isForwardPage,
  isForwardRemoval,
  isRouter,
  isRouterList,
  isStatus,
  isTrace,
} from './wire.ts';

/** What a user gave for a forward, by the API's keys; the API parses it. */
export type ForwardFields = Readonly<Record<string, unknown>>;

export interface ForwardFilter {
  readonly router?: string;
  readonly project_id?: string;
  readonly state?: string;
}

/** How long an answer may wait for the kernel, in seconds as the user wrote them; undefined: the API's default. */
export type Wait = string | undefined;

/** The daemon's API, as far as the command line needs it. Errors: the API's own, `daemon_unreachable`, `not_permitted`. */
export interface Client {
  /** All that match, oldest first. */
  listForwards(filter: ForwardFilter): Promise<readonly ForwardDocument[]>;
  /** The oldest ones, in one request. */
  firstForwards(): Promise<ForwardPage>;
  createForward(fields: ForwardFields, wait: Wait): Promise<ForwardDocument>;
  getForward(reference: string): Promise<ForwardDocument>;
  /** `revision`: only if it still has that one. */
  updateForward(reference: string, fields: ForwardFields, wait: Wait, revision?: string): Promise<ForwardDocument>;
  /** `drain`: its connections go on until they end by themselves. */
  removeForward(reference: string, wait: Wait, drain?: boolean): Promise<ForwardRemoval>;
  /** `request`: an `ApplyRequest` as the user wrote it; the API parses it. */
  apply(request: ForwardFields, wait: Wait): Promise<ApplyResult>;
  /** `request`: an `AdoptRequest` as the user wrote it; the API parses it. */
  adopt(request: ForwardFields, wait: Wait): Promise<AdoptResult>;
  getBackup(): Promise<Backup>;
  restore(backup: unknown, replace: boolean, wait: Wait): Promise<ApplyResult>;
  getCounters(forward: string): Promise<readonly CountersDocument[]>;
  /** Of all forwards of the node, or (`router`) of one router, with how many flows there are now. */
  liveCounters(router?: string): Promise<readonly CountersDocument[]>;
  listRouters(): Promise<readonly RouterDocument[]>;
  getRouter(reference: string): Promise<RouterDocument>;
  getStatus(): Promise<StatusDocument>;
  /** Of one forward, or (`null`) of the node and its routers: all of them, or one. */
  diagnose(forward: string | null, router?: string): Promise<DiagnosisDocument>;
  /** `request`: a packet as the user wrote it; the API parses it. `wait`: how long a live trace waits for it. */
  trace(request: ForwardFields, wait: Wait): Promise<TraceDocument>;
}

/** Beyond the time that was asked for: the daemon's own work, on a machine under load. */
const PATIENCE_MS = 30_000;
const LONGEST_WAIT_S = 60;
/** A node can have a thousand routers, whose rules are read one by one. */
const LONGEST_DIAGNOSIS_S = '90';

/** `flag`: the value of --socket; `patienceMs`: how long the daemon may be silent. */
export function createClient(context: CliContext, flag: string | undefined, patienceMs = PATIENCE_MS): Client {
  const socket = socketPath(context, flag);

  async function call<Value>(guard: Guard<Value>, request: Omit<HttpCall, 'timeoutMs'>, wait?: Wait): Promise<Value> {
    const waitMs = wait === undefined ? LONGEST_WAIT_S * 1000 : (Number(wait) || 0) * 1000;
    const { status, body } = await exchange(socket, { ...request, timeoutMs: patienceMs + waitMs });
    const value = body === '' ? undefined : parseJson(socket, body);
    if (status >= 400) throw problem(socket, status, value);
    if (!guard(value)) throw foreign(socket);
    return value;
  }

  const get = <Value>(guard: Guard<Value>, path: string) => call(guard, { method: 'GET', path }, '0');

  return Object.freeze<Client>({
    listForwards: async (filter) => {
      const forwards: ForwardDocument[] = [];
      for (let marker: string | null = ''; marker !== null; ) {
        const page: ForwardPage = await get(isForwardPage, `/v1/forwards${query({ ...filter, marker })}`);
        forwards.push(...page.forwards);
        marker = page.next;
      }
      return forwards;
    },
    firstForwards: () => get(isForwardPage, '/v1/forwards'),
    createForward: (body, wait) => {
      return call(isForward, { method: 'POST', path: `/v1/forwards${query({ wait })}`, body }, wait);
    },
    getForward: (reference) => get(isForward, forwardPath(reference)),
    updateForward: (reference, body, wait, revision) => {
      const headers = revision === undefined ? {} : { 'if-match': revision };
      return call(isForward, { method: 'PATCH', path: forwardPath(reference) + query({ wait }), body, headers }, wait);
    },
    removeForward: (reference, wait, drain = false) => {
      const path = forwardPath(reference) + query({ wait, drain: drain ? 'true' : undefined });
      return call(isForwardRemoval, { method: 'DELETE', path }, wait);
    },
    apply: (body, wait) => {
      return call(isApplyResult, { method: 'POST', path: `/v1/apply${query({ wait })}`, body }, wait);
    },
    adopt: (body, wait) => {
      return call(isAdoptResult, { method: 'POST', path: `/v1/adopt${query({ wait })}`, body }, wait);
    },
    getBackup: () => get(isBackup, '/v1/backup'),
    restore: (body, replace, wait) => {
      const path = `/v1/backup${query({ wait, replace: String(replace) })}`;
      return call(isApplyResult, { method: 'PUT', path, body }, wait);
    },
    getCounters: async (forward) => (await get(isCounterList, `/v1/counters${query({ forward })}`)).counters,
    liveCounters: async (router) => {
      return (await get(isCounterList, `/v1/counters${query({ router, live: 'true' })}`)).counters;
    },
    listRouters: async () => (await get(isRouterList, '/v1/routers')).routers,
    getRouter: (reference) => get(isRouter, `/v1/routers/${encodeURIComponent(reference)}`),
    getStatus: () => get(isStatus, '/v1/status'),
    diagnose: (forward, router) => {
      const path = forward === null ? `/v1/diagnosis${query({ router })}` : `${forwardPath(forward)}/diagnosis`;
      return call(isDiagnosis, { method: 'GET', path }, LONGEST_DIAGNOSIS_S);
    },
    trace: (body, wait) => call(isTrace, { method: 'POST', path: '/v1/trace', body }, wait),
  });
}

function forwardPath(reference: string): string {
  return `/v1/forwards/${encodeURIComponent(reference)}`;
}

/** `?a=b&c=d`, without what is undefined or empty. */
function query(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  if (given.length === 0) return '';
  return `?${given.map(([key, value]) => `${key}=${encodeURIComponent(value ?? '')}`).join('&')}`;
}

function parseJson(socket: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw foreign(socket, error);
  }
}

function foreign(socket: string, cause?: unknown): HatobaError {
  const reason = 'what answers there is no hatoba of this version';
  return hatobaError('daemon_unreachable', { value: socket, reason }, { cause });
}

/** The error of an RFC 9457 problem document; a code that this version does not know counts by its HTTP status. */
function problem(socket: string, status: number, document: unknown): HatobaError {
  if (!isRecord(document)) return foreign(socket);
  const { code, detail, hint, field } = document;
  if (typeof code !== 'string' || typeof detail !== 'string') return foreign(socket);
  const context = typeof field === 'string' ? { field } : {};
  return new HatobaError(
    isErrorCode(code) ? code : codeOf(status),
    detail,
    typeof hint === 'string' ? hint : '',
    context,
  );
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function codeOf(status: number): ErrorCode {
  const known = Object.keys(ERRORS).filter(isErrorCode);
  return (
    known.find((code) => ERRORS[code].status === status) ?? (status < 500 ? 'request_malformed' : 'internal_error')
  );
}
