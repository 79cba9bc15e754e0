import type { Kernel } from '../../../kernel/kernel.ts';
import { NO_SUCH_PROGRAM } from '../../../kernel/program.ts';
import { type Address, addressOf, type Family, parseAnyAddress } from '../../../model/address.ts';
import type { Route } from '../../../program/facts.ts';

type Runner = Pick<Kernel, 'run'>;

/** A packet whose route is asked for. */
export interface RoutedPacket {
  readonly source: Address | null;
  readonly destination: Address;
  /** The interface that it comes in by; `null`: the router itself sends it. */
  readonly by: string | null;
}

/** The kernel's answer. `isLocal`: the packet is for the router itself. */
export type RouteAnswer = Route & { readonly isLocal?: boolean };

/** Where each of the packets goes, in their order, asked in one process. */
export async function readRoutes(
  kernel: Runner,
  namespace: string,
  packets: readonly RoutedPacket[],
): Promise<readonly RouteAnswer[]> {
  if (packets.length === 0) return [];
  const argv = ['ip', '-force', '-json', '-batch', '-'];
  const { exitCode, stdout, stderr } = await kernel.run(namespace, argv, packets.map(printRequest).join(''));
  if (exitCode === NO_SUCH_PROGRAM)
    return packets.map(() => ({ failure: 'the program ip (iproute2) is not installed' }));
  const failures = readFailures(stderr);
  const answers = stdout.split('\n').filter((line) => line.startsWith('['));
  let next = 0;
  return packets.map(({ destination }, index) => {
    const failure = failures.get(index + 1);
    return failure === undefined ? readAnswer(destination, answers[next++]) : { failure };
  });
}

function printRequest({ source, destination, by }: RoutedPacket): string {
  const from = source === null ? '' : ` from ${source.text}`;
  return `route get ${destination.text}${from}${by === null ? '' : ` iif ${by}`}\n`;
}

/** By the line of the request: `RTNETLINK answers: Network is unreachable`, `Command failed -:2`. */
function readFailures(stderr: string): ReadonlyMap<number, string> {
  const failures = new Map<number, string>();
  let reason = '';
  for (const line of stderr.split('\n')) {
    const [, number] = /^Command failed [^:]*:(\d+)$/.exec(line) ?? [];
    if (number === undefined) reason = line.replace(/^(RTNETLINK answers|Error): /, '').trim() || reason;
    else {
      failures.set(Number(number), reason);
      reason = '';
    }
  }
  return failures;
}

function readAnswer(destination: Address, line: string | undefined): RouteAnswer {
  const [route] = line === undefined ? [] : recordsIn(line);
  const [device, gateway] = [route?.['dev'], route?.['gateway']];
  if (typeof device !== 'string') return { failure: `no route to ${destination.text}` };
  const nextHop = typeof gateway === 'string' ? readAddress(gateway) : null;
  return { interface: device, nextHop, isLocal: route?.['type'] === 'local' };
}

/** What is there with the kernel's own three, which go by the destination alone (ip-rule(8)). */
const USUAL = /^\d+:\s+from all lookup (local|main|default)$/;

/** Rules by which routes are chosen besides; where they could not be read, the reason. */
export async function readRoutingRules(kernel: Runner, namespace: string, family: Family): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await kernel.run(namespace, ['ip', `-${family}`, 'rule', 'show']);
  if (exitCode === NO_SUCH_PROGRAM) return ['the program ip (iproute2), which would list them, is not installed'];
  if (exitCode !== 0) return [stderr.trim()];
  return stdout
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !USUAL.test(line))
    .map((line) => line.replaceAll(/\s+/g, ' '));
}

/** What the kernel knows of a neighbour; `null`: nothing. */
export async function readNeighbour(
  kernel: Runner,
  namespace: string,
  address: Address,
  device: string,
): Promise<string | null> {
  const words = [`-${address.family}`, 'neighbour', 'show', 'to', address.text, 'dev', device];
  const { exitCode, stdout } = await kernel.run(namespace, ['ip', '-json', ...words]);
  const [neighbour] = exitCode === 0 ? recordsIn(stdout) : [];
  const states = neighbour?.['state'];
  return Array.isArray(states) ? states.map(String).join(' ') : null;
}

function recordsIn(json: string): readonly Readonly<Record<string, unknown>>[] {
  const list: unknown = json.trim() === '' ? [] : JSON.parse(json);
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

function readAddress(text: string): Address {
  const { family, value } = parseAnyAddress(text);
  return addressOf(family, value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
