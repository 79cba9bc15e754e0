import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type HatobaError, hatobaError } from '../../model/errors.ts';
import { PROBLEM_TYPE, printProblem } from '../problem.ts';
import { requestMalformed } from '../validation.ts';

/** Answers what is not HTTP at all, and so reaches no route, and ends the connection. */
export function answerBrokenRequest(error: Error, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = printProblem(whatIsWrong(error));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_TYPE}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function whatIsWrong(error: Error): HatobaError {
  if ('code' in error && error.code === 'HPE_HEADER_OVERFLOW') {
    return hatobaError('head_too_large', { limit: maxHeaderSize });
  }
  return requestMalformed(error.message, 'request');
}
