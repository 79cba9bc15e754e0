import { badRequest, NeutronFault } from './faults.ts';
import { printLiteral } from './python-text.ts';

/** What a client says of one thing. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Reads the text of a body; `undefined`: there is none. Error: `MalformedRequestBody`. */
export function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformedBody(error);
  }
}

export function malformedBody(cause?: unknown): NeutronFault {
  return new NeutronFault('MalformedRequestBody', 'Malformed request body: Cannot understand JSON.', cause);
}

/** The attributes in `{"port_forwarding": {…}}`. Errors: `HTTPBadRequest`. */
export function openEnvelope(body: unknown, resource: string): Attributes {
  const content = requireContent(body);
  const attributes = content[resource];
  if (attributes === undefined || attributes === null) {
    throw badRequest(`Unable to find ${printLiteral(resource)} in request body`);
  }
  if (!isAttributes(attributes)) throw badRequest(`Object ${printLiteral(resource)} contains invalid data`);
  return attributes;
}

/** Those in `{"port_forwardings": [{…}, …]}`; `null`: the body is about one thing. Errors: `HTTPBadRequest`. */
export function openBulk(body: unknown, collection: string, resource: string): readonly Attributes[] | null {
  const items = requireContent(body)[collection];
  if (items === undefined) return null;
  if (isEmpty(items)) throw badRequest('Resources required');
  if (!Array.isArray(items)) throw invalidData();
  return items.map((item) => {
    const attributes = requireAttributes(item);
    return resource in attributes ? requireAttributes(attributes[resource]) : attributes;
  });
}

function requireContent(body: unknown): Attributes {
  if (isEmpty(body)) throw badRequest('Resource body required');
  return requireAttributes(body);
}

/** Nothing, or an object or an array with nothing in it. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function requireAttributes(value: unknown): Attributes {
  if (!isAttributes(value)) throw invalidData();
  return value;
}

function isAttributes(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidData(): NeutronFault {
  return badRequest('Body contains invalid data');
}
