import { type HatobaError, hatobaError } from '../model/errors.ts';
import type { Operation } from './operation.ts';
import { OPERATIONS, type Operations } from './operations.ts';
import type { Transport } from './transport.ts';

/** An operation's name in the description of the API (`operationId`). */
export type OperationId = keyof Operations;

type Parameters<Id extends OperationId> = Operations[Id]['parameters'];
type Body<Id extends OperationId> = Operations[Id]['body'];
type Answer<Id extends OperationId> = Operations[Id]['answer'];

/** The API, typed by its description. Errors: the API's own, the transport's, and `daemon_unreachable` where what answers is none. */
export interface ApiClient {
  call<Id extends OperationId>(
    id: Id,
    parameters: Parameters<Id>,
    ...body: Body<Id> extends undefined ? [] : [body: Body<Id>]
  ): Promise<Answer<Id>>;
  /** The same with a body that nobody has read: the API has an error for whatever is wrong with it. */
  callUnread<Id extends OperationId>(id: Id, parameters: Parameters<Id>, body: unknown): Promise<Answer<Id>>;
}

type Values = Readonly<Record<string, string | number | undefined>>;

export function createApiClient(transport: Transport): ApiClient {
  const { place } = transport;

  async function send<Id extends OperationId>(id: Id, values: Values, body: unknown): Promise<Answer<Id>> {
    const operation: Operation<Answer<Id>> = OPERATIONS[id];
    const { status, body: answer } = await transport.exchange({
      method: operation.method,
      path: pathOf(operation, values),
      headers: Object.fromEntries(given(operation.headers, values)),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const value = parseJson(answer);
    if (status >= 400) throw await errorOf(place, status, value);
    if (!operation.answer(value)) throw foreign(place);
    return value;
  }

  return Object.freeze<ApiClient>({
    call: (id, parameters, ...[body]) => send(id, { ...parameters }, body),
    callUnread: (id, parameters, body) => send(id, { ...parameters }, body),
  });
}

function pathOf({ path, query }: Pick<Operation<unknown>, 'path' | 'query'>, values: Values): string {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  const asked = given(query, values).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return asked.length === 0 ? filled : `${filled}?${asked.join('&')}`;
}

/** Those that have a value, as texts. */
function given(names: readonly string[], values: Values): readonly (readonly [name: string, value: string])[] {
  return names.flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[name, String(value)] as const];
  });
}

/** Undefined: it is none. */
function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Of an answer that is one; what reads it is loaded only for that. */
async function errorOf(place: string, status: number, document: unknown): Promise<HatobaError> {
  const { readProblem } = await import('./problem.ts');
  return readProblem(status, document) ?? refusal(place, status);
}

/** What stands before the daemon may answer in words of its own. */
function refusal(place: string, status: number): HatobaError {
  if (status !== 401 && status !== 403) return foreign(place);
  return hatobaError('not_authenticated', { reason: `${place} answers with status ${status}` });
}

function foreign(place: string): HatobaError {
  const reason = 'what answers there is no hatoba of this version';
  return hatobaError('daemon_unreachable', { value: place, reason });
}
