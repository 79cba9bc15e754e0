import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { HatobaError } from '../../model/errors.ts';
import type { RouterId } from '../../model/router.ts';
import type { Registry, RegistryChange } from '../../registry/registry.ts';
import { READ } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import type { EventStream, EventStreams } from '../event-streams.ts';
import { problemResponses } from '../problem.ts';
import { requestMalformed } from '../validation.ts';
import { type EventDocument, printEvents } from './event-documents.ts';
import { EventQuery, EventStreamSchema, ResumeHeaders } from './event-schemas.ts';
import { signalOfClient } from './patience.ts';
import { readRouter } from './router-lookup.ts';

const schema = {
  operationId: 'followEvents',
  summary: 'Tell what changes, as it happens',
  tags: ['events'],
  produces: ['text/event-stream'],
  querystring: EventQuery,
  headers: ResumeHeaders,
  response: { 200: EventStreamSchema, ...problemResponses },
};

/** In ms: connections on which nothing moves are closed, here and by proxies on the way. */
const HEARTBEAT = 15_000;

/** How long a browser waits before it connects again, in ms. */
const RETRY = 2_000;

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function events({ registryOf, streams }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const open = new Set<() => void>();
    api.addHook('preClose', (closed) => {
      for (const end of open) end();
      closed();
    });

    api.get('/events', { schema, config: { access: READ } }, (request, reply) => {
      const { caller, query, headers } = request;
      const registry = registryOf(caller);
      const router = query.router === undefined ? null : readRouter(query.router);
      const after = readLastEventId(headers['last-event-id']) ?? query.after ?? registry.forwards.revision();
      const signal = untilClosed(reply, open);
      // An end of the API would wait for a connection that stays open behind the stream.
      reply.type('text/event-stream').headers({ 'cache-control': 'no-store', connection: 'close' });
      const subscription = { after, router, signal, isAllowed: () => request.isStillAllowed() };
      return Readable.from(
        counted(streams, (own) => stream(registry, subscription, own)),
        { objectMode: false },
      );
    });

    done();
  };
}

/** Aborted when the client has gone, or by what is in `open` as long as it has not; who does not read is cut off then. */
function untilClosed(reply: FastifyReply, open: Set<() => void>): AbortSignal {
  const gone = signalOfClient(reply);
  if (gone.aborted) return gone;
  const ending = new AbortController();
  const end = () => {
    ending.abort();
    if (reply.raw.writableNeedDrain) reply.raw.destroy();
  };
  open.add(end);
  gone.addEventListener('abort', () => open.delete(end), { once: true });
  return AbortSignal.any([gone, ending.signal]);
}

interface Subscription {
  readonly after: number;
  /** `null`: all. */
  readonly router: RouterId | null;
  readonly signal: AbortSignal;
  /** Asked before anything is told: a right may end before the stream does. */
  readonly isAllowed: () => Promise<boolean>;
}

/** The text, as one of the open streams as long as it is read. */
async function* counted(
  streams: EventStreams,
  textOf: (own: EventStream) => AsyncIterable<string>,
): AsyncGenerator<string, void> {
  const own = streams.open();
  try {
    yield* textOf(own);
  } finally {
    own.close();
  }
}

/** The text of a stream. It is read from the store as fast as the client takes it, of which `own` hears. */
async function* stream(registry: Registry, subscription: Subscription, own: EventStream): AsyncGenerator<string, void> {
  const { after, router, signal, isAllowed } = subscription;
  yield `retry: ${RETRY}\n\n`;
  for await (const change of withHeartbeats(changesOrReset(registry, after, signal), signal)) {
    if (!(await isAllowed())) return;
    // What comes after a heartbeat has to wait until that is taken, too.
    own.tells(change?.revision ?? registry.forwards.revision() + 1);
    if (change === null) yield ':\n\n';
    else if ('isReset' in change) yield* printBlocks([resetEvent(change.revision)], change.revision);
    else yield* printBlocks(printEvents(ofRouter(change, router), registry), change.revision);
    own.waits();
  }
}

interface Reset {
  readonly isReset: true;
  readonly revision: number;
}

/** Where changes are asked for that are no longer kept, or not there yet, one is told to read everything again. */
async function* changesOrReset(
  registry: Registry,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<RegistryChange | Reset, void> {
  let after = first;
  while (!signal.aborted) {
    const isAhead = after > registry.forwards.revision();
    if (!isAhead && !(yield* told(registry.changes(after, signal)))) return;
    after = registry.forwards.revision();
    yield { isReset: true, revision: after };
  }
}

/** All changes; whether they ended because some are no longer kept. */
async function* told(changes: AsyncIterable<RegistryChange>): AsyncGenerator<RegistryChange, boolean> {
  try {
    yield* changes;
    return false;
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'store_compacted') return true;
    throw error;
  }
}

/** With `null` every while. */
async function* withHeartbeats<Item>(
  items: AsyncIterator<Item, void>,
  signal: AbortSignal,
): AsyncGenerator<Item | null, void> {
  const beat = () => pause(HEARTBEAT, null, { signal }).catch(() => undefined);
  let [next, heartbeat] = [items.next(), beat()];
  while (!signal.aborted) {
    const first = await Promise.race([next, heartbeat]);
    if (first === null) {
      heartbeat = beat();
      yield null;
    } else {
      if (first === undefined || first.done === true) return;
      next = items.next();
      // It is awaited when the client has taken this one; until then, its failure is not forgotten.
      next.catch(() => undefined);
      yield first.value;
    }
  }
}

function ofRouter({ revision, forwards, statuses }: RegistryChange, router: RouterId | null): RegistryChange {
  const own = (changed: { readonly router: RouterId }) => router === null || changed.router === router;
  return { revision, forwards: forwards.filter(own), statuses: statuses.filter(own) };
}

function resetEvent(revision: number): EventDocument {
  return { event: 'reset', data: { revision } };
}

/** The id comes with the last: a client that was cut off in between is told all of the revision again. */
function* printBlocks(documents: Iterable<EventDocument>, revision: number): Generator<string, void> {
  let last: string | undefined;
  for (const { event, data } of documents) {
    if (last !== undefined) yield `${last}\n`;
    last = `event: ${event}\ndata: ${JSON.stringify(data)}\n`;
  }
  if (last !== undefined) yield `${last}id: ${revision}\n\n`;
}

function readLastEventId(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw requestMalformed(`Last-Event-ID is not the id of an event: ${text}`, 'Last-Event-ID');
  return Number(text);
}
