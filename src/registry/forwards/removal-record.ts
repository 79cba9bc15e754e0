import { type ForwardId, isUuid } from '../../model/ids.ts';
import { readRecord, textsField } from '../record.ts';

/** Forwards that one commit took away. */
export interface Removal {
  readonly key: string;
  readonly ids: readonly ForwardId[];
  /** Of the store. */
  readonly revision: number;
}

/** The value for the store; the inverse of `readRemoval`. */
export function writeRemoval(ids: readonly ForwardId[]): string {
  return JSON.stringify({ ids });
}

/** Error: `store_unreadable`, naming the key. */
export function readRemoval(key: string, value: string, revision: number): Removal {
  return readRecord(key, value, (fields) => {
    const ids = textsField(fields, 'ids');
    if (!ids.every(isUuid)) throw new TypeError('ids has something else than ids');
    return Object.freeze({ key, ids, revision });
  });
}
