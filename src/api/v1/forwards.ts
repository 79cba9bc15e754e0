import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { inItem } from '../../model/batch-item.ts';
import { hatobaError } from '../../model/errors.ts';
import { type Forward, type ForwardInput, type ForwardSpec, printForwardSpec } from '../../model/forward.ts';
import { type ForwardDraft, parseForwardDraft } from '../../model/forward-draft.ts';
import { portCount } from '../../model/port-range.ts';
import type { Registry } from '../../registry/registry.ts';
import { READ, WRITE } from '../access/access.ts';
import { FEW_ITEMS, serializerOf, streamable } from '../answers/answers.ts';
import type { RouteDeps } from '../deps.ts';
import { problemResponses } from '../problem.ts';
import { answerResult } from './apply-answer.ts';
import { ApplyResultSchema, FILE_LIMIT } from './apply-schemas.ts';
import { withExpiry } from './expiry.ts';
import { printForward, statusNow } from './forward-documents.ts';
import { listForwards } from './forward-list.ts';
import {
  DEFAULT_LIMIT,
  type ForwardCreate,
  ForwardCreateSchema,
  ForwardListQuery,
  ForwardPageSchema,
  ForwardParams,
  ForwardPatchSchema,
  ForwardRemovalQuery,
  ForwardRemovalSchema,
  ForwardSchema,
  ForwardsCreateSchema,
} from './forward-schemas.ts';
import { doOnce, IdempotencyHeaders, keyedRequest } from './idempotency.ts';
import { patience } from './patience.ts';
import { entityTag, expectedRevision, PreconditionHeaders } from './preconditions.ts';
import { WaitQuery } from './schemas.ts';
import { untilRemoved, untilSettled, untilSettledAgain, untilTold } from './settling.ts';

const listSchema = {
  operationId: 'listForwards',
  summary: 'List forwards',
  tags: ['forwards'],
  querystring: ForwardListQuery,
  response: { 200: streamable(ForwardPageSchema), ...problemResponses },
};
const createSchema = {
  operationId: 'createForward',
  summary: 'Add a forward',
  tags: ['forwards'],
  querystring: WaitQuery,
  headers: IdempotencyHeaders,
  body: ForwardCreateSchema,
  response: { 201: ForwardSchema, ...problemResponses },
};
const createManySchema = {
  operationId: 'createForwards',
  summary: 'Add many forwards, all or none',
  tags: ['forwards'],
  querystring: WaitQuery,
  headers: IdempotencyHeaders,
  body: ForwardsCreateSchema,
  response: { 201: streamable(ApplyResultSchema), ...problemResponses },
};
const showSchema = {
  operationId: 'getForward',
  summary: 'Show a forward',
  tags: ['forwards'],
  params: ForwardParams,
  response: { 200: ForwardSchema, ...problemResponses },
};
const changeSchema = {
  operationId: 'updateForward',
  summary: 'Change a forward',
  tags: ['forwards'],
  params: ForwardParams,
  querystring: WaitQuery,
  headers: PreconditionHeaders,
  body: ForwardPatchSchema,
  response: { 200: ForwardSchema, ...problemResponses },
};
const removeSchema = {
  operationId: 'removeForward',
  summary: 'Remove a forward',
  tags: ['forwards'],
  params: ForwardParams,
  querystring: ForwardRemovalQuery,
  headers: PreconditionHeaders,
  response: { 200: ForwardRemovalSchema, ...problemResponses },
};

/** In place of warnings that are not known yet. */
const UNREAD = 'the rules of others could not be read in time: it is not known whether they shadow this forward';

const FORWARD = { ...ForwardSchema };

export function forwards({ registryOf, localOf, waiting, answers }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.get('/forwards', { schema: listSchema, config: { access: READ } }, async (request, reply) => {
      const { caller, query } = request;
      const registry = registryOf(caller);
      const { forwards, statuses } = registry;
      await answers.reserve(request, reply, query.limit ?? DEFAULT_LIMIT);
      const { revision, page } = await answers.slice(caller, () => ({
        revision: forwards.revision(),
        page: listForwards(forwards.list(), (id) => statuses.of(id), query),
      }));
      const print = (forward: Forward) => printForward(forward, statusNow(forward, registry));
      const { next } = page;
      if (page.forwards.length <= FEW_ITEMS) return { forwards: page.forwards.map(print), next, revision };
      const toJson = serializerOf(reply, FORWARD);
      return answers.stream(caller, reply, {
        head: '{"forwards":[',
        items: page.forwards,
        print: (forward) => toJson(print(forward)),
        tail: `],"next":${JSON.stringify(next)},"revision":${revision}}`,
      });
    });

    api.post('/forwards', { schema: createSchema, config: { access: WRITE } }, async (request, reply) => {
      const registry = registryOf(request.caller);
      const { forwards } = registry;
      const { result, isReplay } = await doOnce(keyedRequest('createForward', request), reply, {
        recall: (keyed) => forwards.createdBy(keyed),
        work: (keyed) => forwards.create(readDraft(request.body, registry), keyed),
      });
      const settle = isReplay ? untilSettledAgain : untilSettled;
      const { forward, status } = await settle(registry, waiting, result, patience(request, reply));
      reply.code(201).headers({ location: `${api.prefix}/forwards/${forward.id}`, etag: entityTag(forward) });
      return printForward(forward, status);
    });

    const creatingMany = { schema: createManySchema, bodyLimit: FILE_LIMIT, config: { access: WRITE } };
    api.post('/forwards/bulk', creatingMany, async (request, reply) => {
      const registry = registryOf(request.caller);
      const { forwards } = registry;
      await answers.reserve(request, reply, request.body.forwards.length);
      const { result } = await doOnce(keyedRequest('createForwards', request), reply, {
        recall: (keyed) => forwards.appliedBy(keyed),
        work: (keyed) => forwards.createAll(readDrafts(request.body.forwards, registry), keyed),
      });
      const told = await untilTold(registry, waiting, result, patience(request, reply));
      reply.code(201);
      return answerResult({ answers, registry, request, reply }, told);
    });

    api.get('/forwards/:reference', { schema: showSchema, config: { access: READ } }, async (request, reply) => {
      const registry = registryOf(request.caller);
      const { id, router } = registry.forwards.find(request.params.reference);
      const isKnown = await localOf(request.caller).lookAround(router);
      const forward = registry.forwards.find(id);
      reply.header('etag', entityTag(forward));
      const status = statusNow(forward, registry);
      return printForward(forward, isKnown ? status : { ...status, warnings: [...status.warnings, UNREAD] });
    });

    api.patch('/forwards/:reference', { schema: changeSchema, config: { access: WRITE } }, async (request, reply) => {
      const registry = registryOf(request.caller);
      const before = registry.forwards.find(request.params.reference);
      const expected = expectedRevision(request.headers['if-match'], before);
      const change = withExpiry(request.body);
      const changed = await registry.forwards.update(before.id, (spec) => withChange(spec, change), expected);
      const { forward, status } = await untilSettled(registry, waiting, changed, patience(request, reply));
      reply.header('etag', entityTag(forward));
      return printForward(forward, status);
    });

    api.delete('/forwards/:reference', { schema: removeSchema, config: { access: WRITE } }, async (request, reply) => {
      const registry = registryOf(request.caller);
      const before = registry.forwards.find(request.params.reference);
      const expected = expectedRevision(request.headers['if-match'], before);
      const { id, router } = before;
      const revision = await registry.forwards.remove(id, expected, { drain: request.query.drain === 'true' });
      const applied = await untilRemoved(registry, waiting, { id, router, revision }, patience(request, reply));
      return { id, revision, applied };
    });

    done();
  };
}

function readDraft(body: ForwardCreate, registry: Registry): ForwardDraft {
  return parseForwardDraft(withExpiry(withRouter(body, registry)));
}

/** Errors name the item at fault: `forwards.3.external_port`. */
function readDrafts(bodies: readonly ForwardCreate[], registry: Registry): readonly ForwardDraft[] {
  return bodies.map((body, index) => inItem(index, () => readDraft(body, registry)));
}

/** The forward as written, for the only router there is where it names none. Errors: `router_required`. */
function withRouter(body: ForwardCreate, { statuses }: Registry): ForwardCreate & ForwardInput {
  const [only, ...others] = body.router === undefined ? statuses.routers() : [body.router];
  if (only === undefined || others.length > 0) {
    throw hatobaError('router_required', { count: statuses.routers().length }, { field: 'router' });
  }
  return { ...body, router: only };
}

/** Ports that are to be chosen anew are as many as before, unless those inside are named with them. */
function withChange(spec: ForwardSpec, change: Partial<ForwardInput>): ForwardDraft {
  const count = change.internal_port === undefined ? portCount(spec.externalPorts) : undefined;
  return parseForwardDraft({ ...printForwardSpec(spec), ...change }, count);
}
