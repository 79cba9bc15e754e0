import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../model/caller.ts';
import { HatobaError } from '../../model/errors.ts';
import type { Registry, RegistryChange } from '../../registry/registry.ts';
import { READ } from '../access/access.ts';
import { streamOf } from '../answers/answers.ts';
import type { RouteDeps } from '../deps.ts';
import type { EventStream, EventStreams } from '../event-streams.ts';
import { problemResponses } from '../problem.ts';
import { requestMalformed } from '../validation.ts';
import { EventQuery, EventStreamSchema, ResumeHeaders } from './event-schemas.ts';
import { createEventTexts } from './event-texts.ts';
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
export function events({ registryOf, streams, answers }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const open = new Set<() => void>();
    const texts = createEventTexts();
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
      const textOf = (change: RegistryChange) =>
        answers.slice(caller, () => texts.of(change, registry, viewOf(caller), router));
      const reserve = (bytes: number) => answers.hold(caller, bytes, signal);
      const subscription = { after, signal, textOf, reserve, isAllowed: () => request.isStillAllowed() };
      return streamOf(counted(streams, (own) => stream(registry, subscription, own)));
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

/** Equal for callers that see the same of all changes. */
function viewOf({ allProjects, project }: Caller): string {
  return allProjects ? 'all' : JSON.stringify(project);
}

interface Subscription {
  readonly after: number;
  readonly signal: AbortSignal;
  /** The events of a part of a change, without what ends the last one. */
  readonly textOf: (change: RegistryChange) => Promise<Buffer>;
  /** Reserves memory for a text until it has been taken. Error: `answers_exhausted`. */
  readonly reserve: (bytes: number) => Promise<() => void>;
  /** Asked before anything is told: a right may end before the stream does. */
  readonly isAllowed: () => Promise<boolean>;
}

/** The text, as one of the open streams as long as it is read. */
async function* counted(
  streams: EventStreams,
  textOf: (own: EventStream) => AsyncIterable<string | Buffer>,
): AsyncGenerator<string | Buffer, void> {
  const own = streams.open();
  try {
    yield* textOf(own);
  } finally {
    own.close();
  }
}

/**
 * The text of a stream, as fast as the client takes it, of which `own` hears. The id comes with the last event of a
 * revision: a client that was cut off in between is told all of the revision again.
 */
async function* stream(
  registry: Registry,
  { after, signal, textOf, reserve, isAllowed }: Subscription,
  own: EventStream,
): AsyncGenerator<string | Buffer, void> {
  yield `retry: ${RETRY}\n\n`;
  /** Whether the last event that was told lacks its end. */
  let isOpen = false;
  for await (const change of withHeartbeats(changesOrReset(registry, after, signal), signal)) {
    if (!(await isAllowed())) return;
    // What comes after a heartbeat has to wait until that is taken, too.
    own.tells(change?.revision ?? registry.forwards.revision() + 1);
    if (change === null) {
      yield isOpen ? ':\n' : ':\n\n';
    } else if ('isReset' in change) {
      yield `${isOpen ? '\n' : ''}event: reset\ndata: ${JSON.stringify({ revision: change.revision })}\n${endOf(change)}`;
      isOpen = false;
    } else {
      const text = await textOf(change);
      const release = await reserve(text.length);
      if (text.length > 0) yield isOpen ? Buffer.concat([NEW_LINE, text]) : text;
      isOpen ||= text.length > 0;
      if (isOpen && change.isLast) yield endOf(change);
      isOpen &&= !change.isLast;
      release();
    }
    own.waits();
  }
}

const NEW_LINE = Buffer.from('\n');

function endOf({ revision }: { readonly revision: number }): string {
  return `id: ${revision}\n\n`;
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

function readLastEventId(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw requestMalformed(`Last-Event-ID is not the id of an event: ${text}`, 'Last-Event-ID');
  return Number(text);
}
