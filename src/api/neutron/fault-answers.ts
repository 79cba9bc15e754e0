import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HatobaError } from '../../model/errors.ts';
import { NeutronRefusal } from '../../openstack/neutron/refusal.ts';
import { isForLog, toHatobaError } from '../problem.ts';
import { type FaultType, NeutronFault, printFault } from './faults.ts';

const REQUEST_ID = 'x-openstack-request-id';

/** Every error of these routes is answered as Neutron would. */
export function answerFaults(api: FastifyInstance): void {
  api.setErrorHandler<unknown>(sendFault);
}

/** So is what is at no route, and every answer has an id, which Neutron's clients print. */
export function answerWithRequestIds(api: FastifyInstance): void {
  api.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader(REQUEST_ID)) reply.header(REQUEST_ID, `req-${randomUUID()}`);
  });
  api.setNotFoundHandler((request, reply) =>
    sendFault(new NeutronFault('HTTPNotFound', 'The resource could not be found.'), request, reply),
  );
}

/** Answers with the error in Neutron's form, and logs it where it is not the client's fault. */
export function sendFault(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof NeutronRefusal) {
    reply.code(error.status).headers(error.headers).type(error.contentType).send(error.body);
    return;
  }
  if (error instanceof NeutronFault) {
    answer(error, reply);
    return;
  }
  const told = toHatobaError(error, request);
  if (isForLog(told)) request.log.error({ err: error }, told.message);
  answer(faultOf(told, request), reply);
}

function answer(fault: NeutronFault, reply: FastifyReply): void {
  reply.code(fault.status).header(REQUEST_ID, `req-${randomUUID()}`).send(printFault(fault));
}

const TYPES: Readonly<Record<number, FaultType>> = {
  400: 'HTTPBadRequest',
  401: 'HTTPUnauthorized',
  403: 'HTTPForbidden',
  404: 'HTTPNotFound',
  409: 'HTTPConflict',
  412: 'HTTPConflict',
  413: 'HTTPRequestEntityTooLarge',
  429: 'HTTPTooManyRequests',
  503: 'HTTPServiceUnavailable',
  507: 'HTTPServiceUnavailable',
};

/** What Neutron has no words for is told in hatoba's; what broke inside is nobody's business. */
function faultOf(error: HatobaError, { routeOptions }: FastifyRequest): NeutronFault {
  const { rule } = routeOptions.config;
  if (error.code === 'role_missing' && rule !== undefined) {
    return new NeutronFault('PolicyNotAuthorized', `rule:${rule} is disallowed by policy`, error);
  }
  if (error.code === 'quota_exceeded') {
    return new NeutronFault('OverQuota', "Quota exceeded for resources: ['port_forwarding'].", error);
  }
  const type = TYPES[error.status];
  if (type !== undefined) return new NeutronFault(type, `${error.message}.`, error);
  const message = 'Request Failed: internal server error while processing your request.';
  return new NeutronFault('HTTPInternalServerError', message, error);
}
