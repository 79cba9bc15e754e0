import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { makeRoomToSend, receive, receiveNow, SystemCallError, send } from '../libc.ts';

/**
 * Netlink messages (linux/netlink.h; https://docs.kernel.org/userspace-api/netlink/intro.html):
 * a 16-byte header in host byte order, a family's fixed part, then attributes, each padded to four bytes.
 */

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x1;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x10;
const NLA_TYPE_MASK = 0x3fff;
const HEADER = 16;
const NETFILTER_FIXED_PART = 4;

export interface Message {
  readonly type: number;
  /** Fixed part and attributes; of one that was received, a view that is good until the next is read. */
  readonly body: Buffer;
}

/** Attributes by type; a type that occurs again is kept in order in `listAttributes`. */
export type Attributes = ReadonlyMap<number, Buffer>;

/** The dump changed under our eyes: read it again. */
export class InterruptedDump extends Error {
  override readonly name = 'InterruptedDump';
}

const MOST_READS = 16;

/** What `read` gives, asked again as long as its dumps are interrupted by changes. */
export function readUninterrupted<Value>(read: () => Value): Value {
  for (let tries = 1; ; tries++) {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InterruptedDump)) throw error;
      if (tries >= MOST_READS) throw new SystemCallError('reading what never rests', 'EAGAIN');
    }
  }
}

const RECEIVE_SIZE = 1 << 18;
const receiveBuffer = Buffer.allocUnsafe(RECEIVE_SIZE);

/**
 * Every message of a dump; none where there is no such object. `body`: the fixed part and attributes of the request.
 * Throws InterruptedDump.
 */
export function dump(fd: number, type: number, body: Buffer, onMessage: (message: Message) => void): void {
  request(fd, type, NLM_F_REQUEST | NLM_F_DUMP, body, (message) => {
    onMessage(message);
    return false;
  });
}

/** The answer to one request; `undefined`: there is no such object. Throws SystemCallError, InterruptedDump. */
export function get(fd: number, type: number, body: Buffer): Buffer | undefined {
  let answer: Buffer | undefined;
  request(fd, type, NLM_F_REQUEST, body, (message) => {
    answer = Buffer.from(message.body);
    return true;
  });
  return answer;
}

/** A refusal of one message among many. */
export interface Refusal {
  readonly sequence: number;
  readonly errno: string;
}

/** Sends messages that are answered only where they are refused, and before they are sent; gives the first refusal. */
export function sendAll(fd: number, data: Buffer): Refusal | undefined {
  makeRoomToSend(fd, data.length);
  send(fd, data);
  let first: Refusal | undefined;
  for (let length = receiveNow(fd, receiveBuffer); length !== undefined; length = receiveNow(fd, receiveBuffer)) {
    for (const { sequence, message } of split(receiveBuffer.subarray(0, length))) {
      if (message.type !== NLMSG_ERROR) continue;
      const errno = message.body.readInt32LE(0);
      if (errno !== 0) first ??= { sequence, errno: getSystemErrorName(errno) };
    }
  }
  return first;
}

/** `onMessage` tells whether that was all; a dump has an end of its own. */
function request(
  fd: number,
  type: number,
  flags: number,
  body: Buffer,
  onMessage: (message: Message) => boolean,
): void {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(HEADER + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  // What is left of an earlier answer, after an error, must not be taken for a part of this one.
  const sequence = Math.floor(Math.random() * 0x1_0000_0000);
  header.writeUInt32LE(sequence, 8);
  send(fd, Buffer.concat([header, body]));
  const answer: Answer = { sequence, interrupted: false, finished: false };
  while (!answer.finished) {
    const length = receiveOrLose(fd, answer);
    take(receiveBuffer.subarray(0, length), answer, onMessage);
  }
  if (answer.interrupted) throw new InterruptedDump();
}

interface Answer {
  readonly sequence: number;
  /** Somebody changed what is read, or on a socket that is subscribed to changes, one was told in between. */
  interrupted: boolean;
  finished: boolean;
}

/** ENOBUFS: changes were dropped that the socket is subscribed to (`man 7 netlink`); the answer itself is still to come. */
function receiveOrLose(fd: number, answer: Answer): number {
  try {
    return receive(fd, receiveBuffer);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== 'ENOBUFS') throw error;
    answer.interrupted = true;
    return 0;
  }
}

function take(data: Buffer, answer: Answer, onMessage: (message: Message) => boolean): void {
  for (const { flags, sequence, message } of split(data)) {
    if (sequence !== answer.sequence || (flags & NLM_F_DUMP_INTR) !== 0) answer.interrupted = true;
    if (sequence !== answer.sequence) continue;
    if (message.type === NLMSG_ERROR) refuse(message.body.readInt32LE(0));
    answer.finished = message.type === NLMSG_DONE || message.type === NLMSG_ERROR || onMessage(message);
  }
}

/** That there is nothing is an answer, too, and a frequent one. */
function refuse(errno: number): void {
  if (errno !== -constants.errno.ENOENT) throw new SystemCallError('netlink', getSystemErrorName(errno));
}

/** The messages of one datagram. */
export function* messages(data: Buffer): Iterable<Message> {
  for (const { message } of split(data)) yield message;
}

function* split(data: Buffer): Iterable<{ flags: number; sequence: number; message: Message }> {
  for (let at = 0; at + HEADER <= data.length; ) {
    const length = data.readUInt32LE(at);
    if (length < HEADER || at + length > data.length) return;
    const message = { type: data.readUInt16LE(at + 4), body: data.subarray(at + HEADER, at + length) };
    yield { flags: data.readUInt16LE(at + 6), sequence: data.readUInt32LE(at + 8), message };
    at += align(length);
  }
}

export function attributes(data: Buffer): Attributes {
  const found = new Map<number, Buffer>();
  for (const [type, value] of listAttributes(data)) found.set(type, value);
  return found;
}

export function* listAttributes(data: Buffer): Iterable<readonly [type: number, value: Buffer]> {
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4) return;
    yield [data.readUInt16LE(at + 2) & NLA_TYPE_MASK, data.subarray(at + 4, at + length)];
    at += align(length);
  }
}

/**
 * Where in a message of netfilter the value of the first attribute of this type begins: among the attributes that the one
 * is made of whose value begins at `parent`, or (`null`) the message itself.
 */
export function findAttribute(body: Buffer, parent: number | null, type: number): number | undefined {
  const end = parent === null ? body.length : parent - 4 + body.readUInt16LE(parent - 4);
  for (let at = parent ?? NETFILTER_FIXED_PART; at + 4 <= end; ) {
    const length = body.readUInt16LE(at);
    if (length < 4) return undefined;
    if ((body.readUInt16LE(at + 2) & NLA_TYPE_MASK) === type) return at + 4;
    at += align(length);
  }
  return undefined;
}

/** An attribute with a text that ends in NUL. */
export function textAttribute(type: number, text: string): Buffer {
  const value = Buffer.from(`${text}\0`);
  const attribute = Buffer.alloc(align(4 + value.length));
  attribute.writeUInt16LE(4 + value.length, 0);
  attribute.writeUInt16LE(type, 2);
  value.copy(attribute, 4);
  return attribute;
}

/** The text of such an attribute; empty where it is missing. */
export function textOf(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
