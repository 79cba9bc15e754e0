import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { ErrorCode } from '../model/error-catalogue.ts';
import { HatobaError, hatobaError } from '../model/errors.ts';
import { requestMalformed } from './validation.ts';

/** RFC 9457 problem details, with the code, hint and field of hatoba's own errors. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:hatoba:error:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'stable; docs/errors.md lists them' }),
    hint: Type.String(),
    field: Type.Optional(Type.String({ description: 'the input field at fault' })),
  },
  { additionalProperties: false, title: 'Problem' },
);

export type Problem = Static<typeof ProblemSchema>;

/** The error answers that every route can give, to be spread into its `response`. */
export const problemResponses = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;

export const PROBLEM_TYPE = 'application/problem+json';

export function printProblem(error: HatobaError): Problem {
  return {
    type: `urn:hatoba:error:${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    ...(error.field === undefined ? {} : { field: error.field }),
  };
}

function titleOf(code: ErrorCode): string {
  return `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`;
}

/** Every error of every route, and what is at no route, is answered as a problem document. */
export function answerWithProblems(api: FastifyInstance): void {
  api.setErrorHandler<unknown>(sendError);
  api.setNotFoundHandler((request, reply) =>
    sendError(hatobaError('path_not_found', { value: `${request.method} ${request.url}` }), request, reply),
  );
}

/** Answers with the error, and logs it where it is not the client's fault. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const told = toHatobaError(error, request);
  if (isForLog(told)) request.log.error({ err: error }, told.message);
  if (told.retryAfter !== undefined) reply.header('retry-after', told.retryAfter);
  reply.code(told.status).type(PROBLEM_TYPE).send(printProblem(told));
}

/** What the log tells once, when it begins, or not at all, so that callers cannot fill it by asking. */
const TOLD_ELSEWHERE: readonly ErrorCode[] = [
  'authentication_unavailable',
  'neutron_unavailable',
  'daemon_stopping',
  'answers_exhausted',
  'not_ready',
];

/** Whether the operator has to hear of it each time. */
export function isForLog({ code, status }: HatobaError): boolean {
  return status >= 500 && !TOLD_ELSEWHERE.includes(code);
}

/** Whatever was thrown, as an error of the catalogue. */
export function toHatobaError(error: unknown, request: FastifyRequest): HatobaError {
  if (error instanceof HatobaError) return error;
  if (isFastifyError(error)) {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      return hatobaError('body_too_large', { limit: request.routeOptions.bodyLimit });
    }
    if ((error.statusCode ?? 500) < 500) return requestMalformed(error.message, 'body');
  }
  return hatobaError('internal_error', { reason: `request ${request.id} failed` }, { cause: error });
}

/** Fastify's own errors, and the JSON parser's, which Fastify gives a status. */
function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
}
