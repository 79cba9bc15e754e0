import { hash } from 'node:crypto';

/** The name space of UUIDs that stand for what has none in hatoba. */
const NAME_SPACE = Buffer.from('5c8d1f0e7a634b0e9d4c1b7e0f3a6d29', 'hex');

/** An expression for the ids that are made of names, as none of Neutron's own is: those are random (version 4). */
export const DERIVED_ID = '[\\da-fA-F]{8}-[\\da-fA-F]{4}-5[\\da-fA-F]{3}-[\\da-fA-F]{4}-[\\da-fA-F]{12}';

/** How many ids are remembered; making one takes a microsecond or two. */
const MOST = 100_000;

/** Makes a UUID of words: always the same one of the same words. */
export type DeriveId = (...words: readonly string[]) => string;

/** Remembers what it has made. */
export function createDeriveId(): DeriveId {
  const known = new Map<string, string>();
  return (...words) => {
    const name = words.join(' ');
    const there = known.get(name);
    if (there !== undefined) return there;
    const id = uuidOf(name);
    if (known.size >= MOST) known.clear();
    known.set(name, id);
    return id;
  };
}

/** A UUID of a name, by SHA-1 (RFC 9562 §5.5). */
function uuidOf(name: string): string {
  const digest = hash('sha1', Buffer.concat([NAME_SPACE, Buffer.from(name)]), 'hex');
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 3) | 8).toString(16);
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `5${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ];
  return parts.join('-');
}
