import { attempt } from './command.ts';
import { insideArguments } from './namespaces.ts';
import { CLIENT_NAMESPACE } from './topology.ts';

/** Connects from the outside client, and gives the line with which it is greeted. Error: `command_failed`. */
export async function knock(address: string, port: number): Promise<string> {
  const what = `connecting from ${CLIENT_NAMESPACE} to ${address} port ${port}`;
  const program = [process.execPath, new URL('greeting.ts', import.meta.url).pathname];
  const line = await attempt(what, 'nsenter', ...insideArguments(CLIENT_NAMESPACE), ...program, address, String(port));
  return line.trim();
}
