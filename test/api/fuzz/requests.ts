import fc from 'fast-check';
import { brokenJson, mutated, oddTexts, oddValues } from './oddities.ts';
import type { Method, Operation, Parameter } from './schema.ts';
import { BOGUS_TOKEN, type FuzzCaller, KNOWN_CALLERS, NO_TOKEN, OPERATOR } from './tenants.ts';
import { seldom, type ValueContext, validValues } from './valid-values.ts';
import { vocabularyOf } from './vocabulary.ts';
import type { World } from './world.ts';

/** One request, as it goes out. */
export interface Sent {
  readonly caller: FuzzCaller;
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Printed in its place where a property fails. */
  readonly [fc.toStringMethod]: () => string;
}

type Parts = Omit<Sent, typeof fc.toStringMethod>;

const callers = fc.oneof(
  { weight: 9, arbitrary: fc.constant(OPERATOR) },
  { weight: 15, arbitrary: fc.constantFrom(...KNOWN_CALLERS) },
  { weight: 2, arbitrary: fc.constantFrom(NO_TOKEN, BOGUS_TOKEN) },
);

/** Requests of the operation by anybody, half of them as they should be. */
export function requestsOf(world: World, resolve: ValueContext['resolve'], operation: Operation): fc.Arbitrary<Sent> {
  return callers.chain((caller) => {
    const context = { resolve, vocabulary: vocabularyOf(caller, world), operation: operation.id };
    const fine = fineRequests(caller, operation, context);
    return fc.oneof(fine, fine.chain(spoiled)).map(printable);
  });
}

function fineRequests(caller: FuzzCaller, operation: Operation, context: ValueContext): fc.Arbitrary<Parts> {
  const { method, path, parameters, body } = operation;
  const of = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  const texts = ({ name, schema }: Parameter) => validValues(schema, name, context).map(String);
  const query = fc.tuple(
    ...of('query').map((parameter) => {
      // A request that waits takes time, and shows nothing.
      const values = texts(parameter).map((text) =>
        [`${parameter.name}=${encode(text)}`, parameter.companion ?? []].flat().join('&'),
      );
      if (parameter.name === 'wait') return fc.constant('wait=0');
      // There are forwards already, so nothing can be restored without it.
      return seldom(values, parameter.name === 'replace' ? 80 : 15);
    }),
  );
  const headers = fc.record(
    Object.fromEntries(of('header').map((parameter) => [parameter.name, seldom(texts(parameter).map(headerText))])),
  );
  return fc
    .record({
      references: fc.tuple(...of('path').map(texts)),
      query,
      headers,
      body: body === null ? fc.constant(undefined) : validValues(body, '', context),
    })
    .map(({ references, query, headers, body }): Parts => {
      const left = [...references];
      const filled = path.replace(/\{\w+\}/g, () => encode(left.shift() ?? ''));
      const search = query.filter((part) => part !== undefined).join('&');
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const parts = {
        caller,
        method,
        url: search === '' ? filled : `${filled}?${search}`,
        headers: { ...type, ...defined(headers) },
      };
      return body === undefined ? parts : { ...parts, body: JSON.stringify(body) };
    });
}

/** The request with something wrong, or at least odd, about it. */
function spoiled(parts: Parts): fc.Arbitrary<Parts> {
  const { url, headers, body } = parts;
  const ways: fc.Arbitrary<Parts>[] = [
    oddQueries.map((odd) => ({ ...parts, url: `${url}${url.includes('?') ? '&' : '?'}${odd}` })),
    oddHeaders.map((odd) => ({ ...parts, headers: { ...headers, ...odd } })),
    fc
      .constantFrom<Method>('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')
      .map((method) => ({ ...parts, method, url: withoutWait(url) })),
    oddValues.map((odd) => ({
      ...parts,
      headers: { ...headers, 'content-type': 'application/json' },
      body: `${JSON.stringify(odd)}`,
    })),
  ];
  const segment = /^(\/v[^?]*\/)([^/?]+)/.exec(url);
  if (segment !== null) {
    const [whole, before] = segment;
    ways.push(oddSegments.map((odd) => ({ ...parts, url: `${before}${odd}${url.slice(whole.length)}` })));
  }
  if (body !== undefined) {
    ways.push(
      mutated(JSON.parse(body)).map((value) => withBody(parts, JSON.stringify(value))),
      mutated(JSON.parse(body)).map((value) => withBody(parts, JSON.stringify(value))),
      brokenJson(body).map((text) => withBody(parts, text)),
    );
  }
  return fc.oneof(...ways);
}

function withBody({ body: _before, ...parts }: Parts, body: string | undefined): Parts {
  return body === undefined ? parts : { ...parts, body };
}

/** Without waiting, whatever becomes of the method. */
function withoutWait(url: string): string {
  return url.includes('wait=0') ? url : `${url}${url.includes('?') ? '&' : '?'}wait=0`;
}

const oddSegments = fc.oneof(
  fc.constantFrom(
    '%00',
    '%zz',
    '%',
    '%C0%AF',
    '%ED%A0%80',
    '.',
    '..',
    '%2e%2e',
    '%2F',
    '*',
    ';',
    '0',
    'a'.repeat(300),
    '~',
  ),
  oddTexts.map(encode),
);

const QUERY_KEYS = [
  'wait',
  'limit',
  'sort',
  'marker',
  'router',
  'state',
  'after',
  'drain',
  'replace',
  'label',
  'live',
  'fields',
  'sort_key',
  'sort_dir',
  'page_reverse',
  'name',
  'id',
  'project_id',
  '__proto__',
  'constructor',
];

const oddQueries = fc.oneof(
  fc.constantFrom(
    '%00',
    '%zz=1',
    '%',
    '&&&',
    '=',
    '?',
    'limit=1&limit=2',
    'router=a&router=b',
    '__proto__=1',
    '%ED%A0%80=1',
    'wait[]=1',
    'a[b]=c',
  ),
  fc.tuple(fc.constantFrom(...QUERY_KEYS), oddTexts).map(([key, text]) => `${key}=${encode(text)}`),
  fc.webQueryParameters(),
);

const oddHeaders = fc.oneof(
  fc.constantFrom<Readonly<Record<string, string>>>(
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/xml' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': '' },
    { 'content-type': 'a' },
    { 'content-encoding': 'gzip' },
    { accept: 'text/html' },
    { accept: '*/*;q=0' },
    { range: 'bytes=0-0' },
    { range: 'bytes=5-1' },
    { 'if-none-match': '*' },
    { 'if-modified-since': 'never' },
    { 'x-forwarded-for': '10.66.0.1', 'x-forwarded-host': 'evil' },
    { host: '' },
    { host: 'a b' },
    { 'x-http-method-override': 'DELETE' },
    { 'accept-version': '2.0.0' },
    { 'x-auth-token': 'gAAAAA' },
    { cookie: 'a=b' },
    { expect: '200-maybe' },
    { authorization: 'Basic eDp5' },
  ),
  fc
    .tuple(fc.constantFrom('if-match', 'idempotency-key', 'last-event-id', 'range', 'accept', 'content-type'), oddTexts)
    .map(([name, text]) => ({ [name]: headerText(text) })),
);

/** Node lets no other characters of a header through. */
function headerText(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
    .trim();
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function defined(headers: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])),
  );
}

/** Of which a property that fails is told as a command. */
export function printable(parts: Parts): Sent {
  return { ...parts, [fc.toStringMethod]: () => printCurl(parts) };
}

/** As one would type it; of very long bodies, the beginning. */
function printCurl({ caller, method, url, headers, body }: Parts): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const said = Object.entries(headers).map(([name, text]) => `-H ${quote(`${name}: ${text}`)}`);
  const data =
    body === undefined ? [] : [`--data-binary ${quote(body.length > 2_000 ? `${body.slice(0, 2_000)}…` : body)}`];
  return [`as ${caller.name}: curl -X ${method}`, ...said, ...data, quote(`http://localhost${url}`)].join(' ');
}
