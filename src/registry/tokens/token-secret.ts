import { hash, randomBytes } from 'node:crypto';

/** Tells secrets of ours from Keystone's tokens, and lets scanners of leaked secrets know them. */
const PREFIX = 'hatoba_';
const FORM = /^hatoba_[\w-]{43}$/;

/** A new secret: 256 random bits. */
export function makeSecret(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/** Whether a text can be a secret of ours. */
export function isSecret(text: string): boolean {
  return FORM.test(text);
}

/** Whether it claims to be one. */
export function looksLikeSecret(text: string): boolean {
  return text.startsWith(PREFIX);
}

/**
 * What is kept of a secret. Slow hashes are for passwords, which can be guessed; of 2^256 secrets nobody finds one by
 * trying, however fast that is. So it needs no salt either, and can be a key to look it up by.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret);
}
