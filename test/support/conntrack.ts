import { runIn } from './command.ts';

/** One flow, by the ports from and to which its first packet went. */
export interface FlowKey {
  readonly family: 4 | 6;
  readonly protocol: 'tcp' | 'udp';
  readonly from: number;
  readonly to: number;
}

export interface TrackedFlow {
  /** The entry's number in the kernel: another entry for the same ports has another. */
  readonly id: string;
  /** As `conntrack -L -o id` prints it. */
  readonly line: string;
}

/** What connection tracking of a namespace has for this very connection, and not for others at the same outer port. */
export async function trackedFlow(
  namespace: string,
  { family, protocol, from, to }: FlowKey,
): Promise<TrackedFlow | null> {
  const ports = ['--orig-port-src', `${from}`, '--orig-port-dst', `${to}`];
  const words = ['-L', '-o', 'id', '-f', `ipv${family}`, '-p', protocol, ...ports];
  const line = (await runIn(namespace, 'conntrack', words)).trim();
  const id = /\bid=(\d+)/.exec(line)?.[1];
  return id === undefined ? null : { id, line };
}

/** The client's port, from the greeting of a connection. */
export function clientPortOf(greeting: string): number {
  return Number(greeting.split(' ')[1]);
}
