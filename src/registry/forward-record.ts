import { type Forward, type ForwardSpec, parseForwardSpec, printForwardSpec } from '../model/forward.ts';
import { type ForwardId, isUuid } from '../model/ids.ts';
import { forwardKey } from './keys.ts';
import { booleanField, type Fields, mapField, readRecord, textField, textOrNullField, textsField } from './record.ts';

/** A forward as the store has it, without the revision that comes with the entry. */
export interface StoredForward {
  readonly id: ForwardId;
  readonly spec: ForwardSpec;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The value for the store; the inverse of a `ForwardReader`. */
export function writeForward({ id, spec, createdAt, updatedAt }: StoredForward): string {
  return JSON.stringify({ id, ...printForwardSpec(spec), created_at: createdAt, updated_at: updatedAt });
}

/** Error: `store_unreadable`, naming the key. */
export type ForwardReader = (key: string, value: string, revision: number) => Forward;

/** A reader of its own for every index: equal texts of its forwards are one text in memory. */
export function createForwardReader(): ForwardReader {
  const texts = new Map<string, string>();

  function shared(text: string): string {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  }

  return (key, value, revision) =>
    readRecord(key, value, (fields) => {
      const spec = readSpec(fields);
      const id = textField(fields, 'id');
      if (!isUuid(id) || forwardKey(spec.router, id) !== key) throw new TypeError('it belongs to another key');
      const createdAt = textField(fields, 'created_at');
      const updatedAt = textField(fields, 'updated_at');
      return Object.freeze({
        ...spec,
        router: shared(spec.router),
        projectId: spec.projectId === null ? null : shared(spec.projectId),
        id,
        revision,
        createdAt,
        updatedAt: updatedAt === createdAt ? createdAt : updatedAt,
      });
    });
}

function readSpec(fields: Fields): ForwardSpec {
  return parseForwardSpec({
    name: textOrNullField(fields, 'name'),
    description: textOrNullField(fields, 'description'),
    project_id: textOrNullField(fields, 'project_id'),
    labels: mapField(fields, 'labels', textField),
    router: textField(fields, 'router'),
    protocol: textField(fields, 'protocol'),
    external_address: textField(fields, 'external_address'),
    external_port: textField(fields, 'external_port'),
    internal_address: textField(fields, 'internal_address'),
    internal_port: textField(fields, 'internal_port'),
    sources: textsField(fields, 'sources'),
    enabled: booleanField(fields, 'enabled'),
  });
}
