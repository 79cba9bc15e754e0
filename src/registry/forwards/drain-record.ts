import { type ForwardId, isUuid } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import { drainKey } from '../keys.ts';
import { readRecord, textField } from '../record.ts';

/** A forward that was removed at `revision` with its flows to go on. */
export interface Drain {
  readonly router: RouterId;
  readonly id: ForwardId;
  readonly revision: number;
}

/** The value for the store; the inverse of `readDrain`. */
export function writeDrain({ router, id }: Omit<Drain, 'revision'>): string {
  return JSON.stringify({ router, id });
}

/** Error: `store_unreadable`, naming the key. */
export function readDrain(key: string, value: string, revision: number): Drain {
  return readRecord(key, value, (fields) => {
    const [router, id] = [textField(fields, 'router'), textField(fields, 'id')];
    if (!isUuid(id) || drainKey(router, id) !== key) throw new TypeError('it belongs to another key');
    return Object.freeze({ router, id, revision });
  });
}
