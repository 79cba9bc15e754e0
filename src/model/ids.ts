import { hatobaError } from './errors.ts';

/** A forward's id: a UUID in lower case. */
export type ForwardId = string;

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const NAME = /^[A-Za-z][\w.-]{0,62}$/;
const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Whether the text may be the beginning of an id. */
export function isUuidPrefix(text: string): boolean {
  return text !== '' && isUuid(text + ZERO_UUID.slice(text.length));
}

/** Reads the name of a forward: usable as a word on a command line, and never mistaken for an id. */
export function parseName(text: string): string {
  if (!NAME.test(text) || isUuid(text.toLowerCase())) throw hatobaError('name_malformed', { value: text });
  return text;
}

/** Control characters, and halves of characters, which no UTF-8 can have (https://www.unicode.org/glossary/#surrogate_code_point). */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/** Reads free text: a label, the name of a project. */
export function parseText(text: string): string {
  if (text.length > 255 || UNSTORABLE.test(text)) throw hatobaError('text_malformed', { value: text });
  return text;
}

/** Reads a description, which may be as long as Neutron's. */
export function parseDescription(text: string): string {
  if (text.length > 1024 || UNSTORABLE.test(text)) throw hatobaError('description_malformed', { value: text });
  return text;
}
