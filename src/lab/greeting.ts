import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { EXIT } from '../model/error-catalogue.ts';
import { reasonOf } from '../model/errors.ts';

/** How long a connection, or the greeting after it, may take, in milliseconds. */
const PATIENCE = 3_000;

/** Connects, and gives the line with which the other side begins. */
export async function greetingOf(host: string, port: number): Promise<string> {
  const socket = connect({ host, port, timeout: PATIENCE });
  socket.on('timeout', () => socket.destroy(new Error(`no answer from ${host} port ${port}`)));
  try {
    await once(socket, 'connect');
    for await (const line of createInterface(socket)) return line;
    throw new Error(`${host} port ${port} closed the connection without a word`);
  } finally {
    socket.destroy();
  }
}

if (import.meta.main) {
  try {
    process.stdout.write(`${await greetingOf(process.argv[2] ?? '', Number(process.argv[3]))}\n`);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = EXIT.failed;
  }
}
