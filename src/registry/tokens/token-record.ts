import { type ApiToken, parseApiTokenSpec } from '../../model/api-token.ts';
import { ROLES, type Role } from '../../model/caller.ts';
import { isUuid } from '../../model/ids.ts';
import { tokenKey } from '../keys.ts';
import { readRecord, textField, textOrNullField } from '../record.ts';

const HASH = /^[\da-f]{64}$/;

/** The value for the store; the inverse of `readToken`. */
export function writeToken(token: ApiToken): string {
  return JSON.stringify({
    id: token.id,
    name: token.name,
    role: token.role,
    project: token.project,
    expires_at: token.expiresAt,
    created_by: token.createdBy,
    created_at: token.createdAt,
    secret_hash: token.secretHash,
  });
}

/** Error: `store_unreadable`, naming the key. */
export function readToken(key: string, value: string): ApiToken {
  return readRecord(key, value, (fields) => {
    const [id, secretHash] = [textField(fields, 'id'), textField(fields, 'secret_hash')];
    if (!isUuid(id) || tokenKey(id) !== key) throw new TypeError('it belongs to another key');
    if (!HASH.test(secretHash)) throw new TypeError('secret_hash is not a SHA-256 in hexadecimal');
    const spec = parseApiTokenSpec({
      name: textField(fields, 'name'),
      role: readRole(textField(fields, 'role')),
      project: textOrNullField(fields, 'project'),
      expires_at: textOrNullField(fields, 'expires_at'),
    });
    const [createdBy, createdAt] = [textField(fields, 'created_by'), textField(fields, 'created_at')];
    return Object.freeze({ ...spec, id, createdBy, createdAt, secretHash });
  });
}

function readRole(text: string): Role {
  const role = ROLES.find((known) => known === text);
  if (role === undefined) throw new TypeError('role is none that there is');
  return role;
}
