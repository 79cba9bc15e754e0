import { type Forward, type ForwardSpec, parseForwardSpec, printForwardSpec } from '../../model/forward.ts';
import { type ForwardId, isUuid } from '../../model/ids.ts';
import { type Fields, fieldsOf, readRecord, textField, textOrNullField, textsField } from '../record.ts';

/** A forward as it was before a commit that removed it or led it elsewhere; of its spec, what says where it led. */
export interface RetiredForward extends ForwardSpec {
  readonly id: ForwardId;
}

/** The value for the store; the inverse of `readTeardown`. */
export function writeTeardown(forwards: readonly Forward[]): string {
  return JSON.stringify({ forwards: forwards.map(printRetired) });
}

/** Error: `store_unreadable`, naming the key. */
export function readTeardown(key: string, router: string, value: string): readonly RetiredForward[] {
  return readRecord(key, value, ({ forwards }) => {
    if (!Array.isArray(forwards)) throw new TypeError('forwards is not a list');
    return forwards.map((fields: unknown) => readRetired(router, fieldsOf(fields)));
  });
}

function printRetired(forward: Forward) {
  const { protocol, external_address, external_port, internal_address, internal_port, sources, expires_at } =
    printForwardSpec(forward);
  const { id } = forward;
  return { id, protocol, external_address, external_port, internal_address, internal_port, sources, expires_at };
}

function readRetired(router: string, fields: Fields): RetiredForward {
  const id = textField(fields, 'id');
  if (!isUuid(id)) throw new TypeError('id is not a UUID');
  const spec = parseForwardSpec({
    router,
    protocol: textField(fields, 'protocol'),
    external_address: textField(fields, 'external_address'),
    external_port: textField(fields, 'external_port'),
    internal_address: textField(fields, 'internal_address'),
    internal_port: textField(fields, 'internal_port'),
    sources: textsField(fields, 'sources'),
    expires_at: textOrNullField(fields, 'expires_at'),
  });
  return { ...spec, id };
}
