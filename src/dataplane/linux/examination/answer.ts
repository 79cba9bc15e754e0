import type { Kernel } from '../../../kernel/kernel.ts';
import type { Address } from '../../../model/address.ts';

/** In ms; ARP gives up after three seconds, which tells more than silence. */
const PATIENCE = 4_000;

/**
 * Opens a connection, says what became of it, and closes it. In a process of its own, since a socket belongs to the network
 * namespace in which its process is.
 */
const PROGRAM = `
const [host, port, patience] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port) });
const end = (answer) => { process.stdout.write(answer); socket.destroy(); process.exit(); };
socket.once('connect', () => end('accepts'));
socket.once('error', (error) => end(error.code === 'ECONNREFUSED' ? 'refuses' : String(error.code)));
setTimeout(end, Number(patience), 'silent');
`;

/** Whether somebody accepts TCP connections there, asked from within the namespace: see `TargetFacts.answer`. */
export async function askTarget(
  kernel: Pick<Kernel, 'run'>,
  namespace: string,
  address: Address,
  port: number,
): Promise<string> {
  const argv = [process.execPath, '-e', PROGRAM, address.text, String(port), String(PATIENCE)];
  const { stdout, stderr, exitCode } = await kernel.run(namespace, argv);
  return stdout === '' ? `the attempt ended with ${exitCode}: ${stderr.trim().slice(0, 200)}` : stdout;
}
