import type { Kernel } from '../../../kernel/kernel.ts';
import { NO_SUCH_PROGRAM } from '../../../kernel/program.ts';
import { type Address, addressOf, parseAnyAddress } from '../../../model/address.ts';
import type { Route } from '../../../program/facts.ts';

type Runner = Pick<Kernel, 'run'>;

/** Where a packet goes that comes in by the interface `by`; `null`: one of the router's own. */
export async function readRoute(
  kernel: Runner,
  namespace: string,
  { source, destination, by }: { readonly source: Address; readonly destination: Address; readonly by: string | null },
): Promise<Route> {
  const way = by === null ? [] : ['from', source.text, 'iif', by];
  const answer = await ask(kernel, namespace, [familyFlag(destination), 'route', 'get', destination.text, ...way]);
  if ('failure' in answer) return answer;
  const [route] = answer.objects;
  const [device, gateway] = [route?.['dev'], route?.['gateway']];
  if (typeof device !== 'string') return { failure: `no route to ${destination.text}` };
  return { interface: device, nextHop: typeof gateway === 'string' ? readAddress(gateway) : null };
}

/** What the kernel knows of a neighbour; `null`: nothing. */
export async function readNeighbour(
  kernel: Runner,
  namespace: string,
  address: Address,
  device: string,
): Promise<string | null> {
  const words = [familyFlag(address), 'neighbour', 'show', 'to', address.text, 'dev', device];
  const answer = await ask(kernel, namespace, words);
  const [neighbour] = 'failure' in answer ? [] : answer.objects;
  const states = neighbour?.['state'];
  return Array.isArray(states) ? states.map(String).join(' ') : null;
}

function familyFlag({ family }: Address): string {
  return family === 4 ? '-4' : '-6';
}

type Answer = { readonly objects: readonly Readonly<Record<string, unknown>>[] } | { readonly failure: string };

/** `ip -json`, whose refusals are the kernel's: `RTNETLINK answers: Network is unreachable`. */
async function ask(kernel: Runner, namespace: string, words: readonly string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await kernel.run(namespace, ['ip', '-json', ...words]);
  if (exitCode === NO_SUCH_PROGRAM) return { failure: 'the program ip (iproute2) is not installed' };
  if (exitCode !== 0) return { failure: stderr.trim().replace(/^RTNETLINK answers: /, '') };
  const list: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
  return { objects: Array.isArray(list) ? list.filter(isRecord) : [] };
}

function readAddress(text: string): Address {
  const { family, value } = parseAnyAddress(text);
  return addressOf(family, value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
