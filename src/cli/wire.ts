// The one arrow from here to the API: its types, which leave nothing behind at run time.
import type {
  AdoptResult,
  ApplyResult,
  Backup,
  CounterList,
  DiagnosisDocument,
  ForwardDocument,
  ForwardPage,
  ForwardRemoval,
  RouterDocument,
  RouterList,
  StatusDocument,
  TraceDocument,
} from '../api/v1/types.ts';
import { count, dictionary, flag, type Guard, list, nullable, oneOf, record, text } from './guards.ts';
import { isState } from './output/states.ts';

const wish = {
  name: nullable(text),
  description: nullable(text),
  project_id: nullable(text),
  labels: dictionary(text),
  router: text,
  protocol: text,
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  enabled: flag,
  expires_at: nullable(text),
};

const isWish = record(wish);

export const isForward: Guard<ForwardDocument> = record({
  ...wish,
  id: text,
  revision: count,
  created_at: text,
  updated_at: text,
  status: record({
    state: isState,
    message: nullable(text),
    warnings: list(text),
    nodes: list(
      record({
        node: text,
        state: isState,
        external_address: nullable(text),
        revision: count,
        at: text,
        message: nullable(text),
      }),
    ),
  }),
});

export const isForwardPage: Guard<ForwardPage> = record({
  forwards: list(isForward),
  next: nullable(text),
  revision: count,
});

export const isForwardRemoval: Guard<ForwardRemoval> = record({ id: text, revision: count, applied: flag });

export const isCounterList: Guard<CounterList> = record({
  counters: list(
    record({
      forward: text,
      router: text,
      node: text,
      connections: count,
      packets_in: nullable(count),
      bytes_in: nullable(count),
      packets_out: nullable(count),
      bytes_out: nullable(count),
      last_used: nullable(text),
      live: nullable(count),
    }),
  ),
});

const isChange = record({
  change: oneOf('create', 'update', 'remove'),
  id: nullable(text),
  before: nullable(isWish),
  after: nullable(isWish),
  state: nullable(isState),
  message: nullable(text),
});

const foreignRule = { instance: text, program: text, text };

export const isAdoptResult: Guard<AdoptResult> = record({
  router: text,
  node: text,
  plan: text,
  dry_run: flag,
  revision: count,
  changes: list(isChange),
  rules: list(
    record({
      ...foreignRule,
      outcome: oneOf('planned', 'removed', 'gone', 'kept', 'failed'),
      reason: nullable(text),
      forwards: list(text),
    }),
  ),
  left: list(record({ ...foreignRule, reason: text })),
  unread: list(text),
  owned: list(record({ owner: text, rules: count })),
});

export const isApplyResult: Guard<ApplyResult> = record({
  revision: count,
  dry_run: flag,
  applied: flag,
  created: count,
  updated: count,
  removed: count,
  unchanged: count,
  changes: list(isChange),
});

export const isBackup: Guard<Backup> = record({
  format: oneOf('hatoba-backup-1'),
  revision: count,
  forwards: list(record({ ...wish, id: text, created_at: text, updated_at: text })),
});

export const isRouter: Guard<RouterDocument> = record({
  id: text,
  gateways: list(text),
  forwards: count,
  nodes: list(
    record({
      node: text,
      instances: list(text),
      gateways: list(text),
      revision: count,
      at: text,
      error: nullable(text),
      problems: count,
    }),
  ),
});

export const isRouterList: Guard<RouterList> = record({ routers: list(isRouter) });

export const isStatus: Guard<StatusDocument> = record({
  version: text,
  node: text,
  roles: list(text),
  started_at: text,
  store: text,
  driver: nullable(text),
  revision: count,
  routers: count,
  forwards: record({
    total: count,
    active: count,
    pending: count,
    waiting: count,
    disabled: count,
    expired: count,
    error: count,
  }),
  forwards_with_warnings: count,
  forwards_in_error: list(record({ id: text, name: nullable(text), router: text, message: nullable(text) })),
  routers_in_error: list(record({ router: text, node: text, message: text })),
  connection_tracking: nullable(
    record({ entries: count, limit: nullable(count), fullest: record({ router: text, entries: count }) }),
  ),
});

const ends = { protocol: text, source: text, destination: text };

const tracedForward = record({
  id: text,
  name: nullable(text),
  protocol: text,
  external_address: text,
  external_port: text,
  internal_address: text,
  internal_port: text,
  sources: list(text),
  revision: count,
});

const isRefusalReason = oneOf(
  'disabled',
  'expired',
  'waiting',
  'pending',
  'displaced',
  'source',
  'protocol',
  'address',
  'port',
);

const kernelEnds = record({ source: text, source_port: count, destination: text, destination_port: count });

const kernelWay = record({
  arrived: kernelEnds,
  from: nullable(text),
  steps: list(
    record({
      table: text,
      chain: text,
      base: nullable(record({ type: text, hook: text, priority: count })),
      handle: nullable(count),
      rule: nullable(text),
      verdict: text,
      ours: flag,
    }),
  ),
  outcome: oneOf('forwarded', 'delivered', 'dropped', 'lost'),
  left: nullable(kernelEnds),
  to: nullable(text),
});

const caught = record({
  instance: text,
  way: kernelWay,
  known_flow: flag,
  reply: nullable(kernelWay),
  as_compiled: flag,
  difference: nullable(text),
  legacy_tables: list(text),
});

const isFinding: Guard<DiagnosisDocument['findings'][number]> = record({
  level: oneOf('ok', 'warning', 'problem'),
  code: text,
  router: nullable(text),
  instance: nullable(text),
  forward: nullable(text),
  seen: text,
  advice: nullable(text),
});

export const isDiagnosis: Guard<DiagnosisDocument> = record({
  node: text,
  routers: count,
  forwards: count,
  problems: count,
  warnings: count,
  findings: list(isFinding),
});

export const isTrace: Guard<TraceDocument> = record({
  router: text,
  gateways: list(text),
  packet: record({ ...ends, source_port: nullable(count), destination_port: count }),
  forward: nullable(tracedForward),
  misses: list(record({ forward: tracedForward, refusals: list(record({ reason: isRefusalReason, message: text })) })),
  target: nullable(record({ address: text, port: count, masquerade: oneOf('same_network') })),
  reply: nullable(record({ ...ends, source_port: count, destination_port: nullable(count) })),
  nodes: list(record({ node: text, applied: flag, revision: count, at: text, message: nullable(text) })),
  live: nullable(record({ node: text, timeout: count, packet: nullable(caught) })),
});
