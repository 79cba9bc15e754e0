import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Forward } from '../../model/forward.ts';
import type { ForwardChange, Registry } from '../../registry/registry.ts';
import { type Answers, FEW_ITEMS, serializerOf } from '../answers/answers.ts';
import { printChange, printRecord, printSummary, type ToldOutcome } from './apply-documents.ts';
import { type ApplyResult, type Backup, ChangeSchema, RecordSchema } from './apply-schemas.ts';

const CHANGE = { ...ChangeSchema };
const RECORD = { ...RecordSchema };

export interface AnswerContext {
  readonly answers: Answers;
  readonly registry: Registry;
  readonly request: Pick<FastifyRequest, 'caller' | 'method'>;
  readonly reply: FastifyReply;
}

/** The answer to a batch, in pieces where there are many changes. */
export function answerResult(
  { answers, registry, request, reply }: AnswerContext,
  told: ToldOutcome,
): ApplyResult | Readable {
  const { changes } = told.outcome;
  const summary = printSummary(told);
  const print = (change: ForwardChange) => printChange(change, registry, told.dryRun);
  if (changes.length <= FEW_ITEMS) return { ...summary, changes: changes.map(print) };
  const toJson = serializerOf(reply, CHANGE);
  return answers.stream(request.caller, reply, {
    head: `${JSON.stringify(summary).slice(0, -1)},"changes":[`,
    items: changes,
    print: (change) => toJson(print(change)),
    tail: ']}',
  });
}

/** A backup of all forwards that the caller sees, in pieces where there are many. */
export async function answerBackup({ answers, registry, request, reply }: AnswerContext): Promise<Backup | Readable> {
  const { forwards } = registry;
  await answers.reserve(request, reply, forwards.list().length);
  const [revision, all] = [forwards.revision(), forwards.list()];
  const format = 'hatoba-backup-1';
  if (all.length <= FEW_ITEMS) return { format, revision, forwards: all.map(printRecord) };
  const toJson = serializerOf(reply, RECORD);
  return answers.stream(request.caller, reply, {
    head: `{"format":"${format}","revision":${revision},"forwards":[`,
    items: all,
    print: (forward: Forward) => toJson(printRecord(forward)),
    tail: ']}',
  });
}
