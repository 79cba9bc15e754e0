import type { Address } from '../../model/address.ts';
import { type Forward, type ForwardSpec, GATEWAY, parseForwardSpec, printForwardSpec } from '../../model/forward.ts';
import { type ForwardId, isUuid } from '../../model/ids.ts';
import { type PortRange, printPortRange } from '../../model/port-range.ts';
import { forwardKey } from '../keys.ts';
import { booleanField, type Fields, mapField, readRecord, textField, textOrNullField, textsField } from '../record.ts';
import { createPool } from './pool.ts';

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

/** A reader of its own for every index: equal parts of its forwards are one in memory, a third of it all. */
export function createForwardReader(): ForwardReader {
  const text = createPool<string>((value) => value);
  const address = createPool<Address>((value) => value.text);
  const ports = createPool<PortRange>(printPortRange);

  return (key, value, revision) =>
    readRecord(key, value, (fields) => {
      const spec = readSpec(fields);
      const id = textField(fields, 'id');
      if (!isUuid(id) || forwardKey(spec.router, id) !== key) throw new TypeError('it belongs to another key');
      const createdAt = textField(fields, 'created_at');
      const updatedAt = textField(fields, 'updated_at');
      return Object.freeze({
        ...spec,
        router: text(spec.router),
        projectId: spec.projectId === null ? null : text(spec.projectId),
        externalAddress: spec.externalAddress === GATEWAY ? GATEWAY : address(spec.externalAddress),
        externalPorts: ports(spec.externalPorts),
        internalAddress: address(spec.internalAddress),
        internalPorts: ports(spec.internalPorts),
        id,
        revision,
        createdAt,
        updatedAt: updatedAt === createdAt ? createdAt : updatedAt,
      });
    });
}

/** The inverse of `printForwardSpec`. */
export function readSpec(fields: Fields): ForwardSpec {
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
    // Forwards that were written before there was an expiry have none.
    expires_at: 'expires_at' in fields ? textOrNullField(fields, 'expires_at') : null,
  });
}
