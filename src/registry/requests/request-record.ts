import { type Forward, type ForwardSpec, printForwardSpec } from '../../model/forward.ts';
import { createForwardReader, readSpec } from '../forwards/forward-record.ts';
import { forwardKey } from '../keys.ts';
import { countField, type Fields, fieldsOf, readRecord, textField, textOrNullField } from '../record.ts';
import type { BatchOutcome, ForwardChange } from '../registry.ts';

/** A request with a key, as it was answered first; the revision of the entry is that of the answer. */
export interface RequestRecord<Answer> {
  /** Of what was asked for: another wish has another one. */
  readonly fingerprint: string;
  /** As `printTime` gives it. */
  readonly at: string;
  readonly answer: Answer;
}

/** The value for the store; `answer` is a JSON text. */
export function writeRequest({ fingerprint, at, answer }: RequestRecord<string>): string {
  return `{"fingerprint":${JSON.stringify(fingerprint)},"at":${JSON.stringify(at)},"answer":${answer}}`;
}

/** Error: `store_unreadable`, naming the key. */
export function readRequest(key: string, value: string): RequestRecord<Fields> {
  return readRecord(key, value, (fields) => ({
    fingerprint: textField(fields, 'fingerprint'),
    at: textField(fields, 'at'),
    answer: fieldsOf(fields['answer']),
  }));
}

/** The forward that was made, from what `writeForward` gave. */
export function readCreated(fields: Fields, revision: number): Forward {
  const key = forwardKey(textField(fields, 'router'), textField(fields, 'id'));
  return createForwardReader()(key, JSON.stringify(fields), revision);
}

/** What a batch did, without the revision. */
export function writeOutcome({ changes, unchanged }: Omit<BatchOutcome, 'revision'>): string {
  const printed = changes.map(({ id, before, after }) => ({
    id,
    before: before && printForwardSpec(before),
    after: after && printForwardSpec(after),
  }));
  return JSON.stringify({ changes: printed, unchanged });
}

/** The inverse of `writeOutcome`. */
export function readOutcome(fields: Fields, revision: number): BatchOutcome {
  const { changes } = fields;
  if (!Array.isArray(changes)) throw new TypeError('changes is not a list');
  return {
    revision,
    changes: changes.map((change) => readChange(fieldsOf(change))),
    unchanged: countField(fields, 'unchanged'),
  };
}

function readChange(fields: Fields): ForwardChange {
  return { id: textOrNullField(fields, 'id'), before: specIn(fields, 'before'), after: specIn(fields, 'after') };
}

function specIn(fields: Fields, name: string): ForwardSpec | null {
  return fields[name] === null ? null : readSpec(fieldsOf(fields[name]));
}
