import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static, type TSchema } from 'typebox';
import { type Caller, callerKey } from '../../model/caller.ts';
import { signalOfClient } from '../v1/patience.ts';
import type { AnswerBudget } from './answer-budget.ts';
import { createWorkSlices, type WorkSlices } from './work-slices.ts';

/** A JSON document with one long list, as texts. */
export interface ListDocument<Item> {
  /** Up to and including the bracket with which the list begins. */
  readonly head: string;
  readonly items: readonly Item[];
  /** JSON of one item. */
  readonly print: (item: Item) => string;
  /** From the bracket with which the list ends. */
  readonly tail: string;
}

type AnsweredRequest = Pick<FastifyRequest, 'caller' | 'method'>;

/** Produces long answers within bounds, for all routes together. */
export interface Answers {
  /** Does a part of the caller's work in a turn of the event loop of its own; see `WorkSlices`. */
  slice<Result>(caller: Caller, work: () => Result): Promise<Result>;
  /**
   * Reserves memory for an answer with so many items until it has been sent; to be called before anything is done for it.
   * May wait. Answers to requests that change something have a share of their own, so that lists which the caller does
   * not read keep none from being changed. Error: `answers_exhausted`.
   */
  reserve(request: AnsweredRequest, reply: FastifyReply, items: number): Promise<void>;
  /** Reserves memory for a piece of an answer until the returned function is called; likewise. Small pieces are free. */
  hold(caller: Caller, bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Reserves memory for an answer that is there already, without waiting, until the returned function is called; likewise. */
  takeNow(owner: string, bytes: number): () => void;
  /** The document as it is sent: its next piece is made when the client has taken the one before. */
  stream<Item>(caller: Caller, reply: FastifyReply, document: ListDocument<Item>): Readable;
}

/** Answers with fewer items are small: they are made at once, and need no reservation. */
export const FEW_ITEMS = 100;

/** What a streamed answer holds, in bytes: pieces on their way, and a reference for each item. */
const STREAM = 128 * 1024;
const ITEM = 64;

/** Characters of a piece; the last item of one goes beyond it. */
const PIECE = 32 * 1024;

export function createAnswers(budget: AnswerBudget, slices: WorkSlices = createWorkSlices()): Answers {
  async function* piecesOf<Item>(owner: string, { head, items, print, tail }: ListDocument<Item>) {
    let at = 0;
    const nextPiece = () => {
      let piece = at === 0 ? head : '';
      for (; at < items.length && piece.length < PIECE; at++) {
        const item = items[at];
        if (item !== undefined) piece += at === 0 ? print(item) : `,${print(item)}`;
      }
      return at < items.length ? piece : piece + tail;
    };
    do yield await slices.run(owner, nextPiece);
    while (at < items.length);
  }

  return {
    slice: (caller, work) => slices.run(callerKey(caller), work),

    async reserve({ caller, method }, reply, items) {
      if (items <= FEW_ITEMS) return;
      const signal = signalOfClient(reply);
      const owner = method === 'GET' ? callerKey(caller) : `change ${callerKey(caller)}`;
      const release = await budget.reserve(owner, STREAM + items * ITEM, signal);
      if (signal.aborted) release();
      else signal.addEventListener('abort', release, { once: true });
    },

    hold: async (caller, bytes, signal) =>
      bytes <= STREAM ? () => undefined : budget.reserve(callerKey(caller), bytes, signal),

    takeNow: (owner, bytes) => budget.takeNow(owner, bytes),

    stream(caller, reply, document) {
      reply.type('application/json; charset=utf-8');
      return streamOf(piecesOf(callerKey(caller), document));
    },
  };
}

/** Holds no more than one piece that the client has not taken. */
export function streamOf(pieces: AsyncIterable<string | Buffer>): Readable {
  return Readable.from(pieces, { objectMode: false, highWaterMark: 1 });
}

/** Writes values of the schema, which is an object that stays the same, as JSON. */
export function serializerOf(
  reply: FastifyReply,
  schema: { readonly [keyword: string]: unknown },
): (value: { [key: string]: unknown }) => string {
  return reply.compileSerializationSchema(schema);
}

/** The schema of an answer that is a document, or a stream of its text. */
export function streamable<Schema extends TSchema>(schema: Schema) {
  return Type.Unsafe<Static<Schema> | Readable>(schema);
}
