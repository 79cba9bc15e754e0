import { nft, runIn } from './command.ts';
import { RIGHT, SECOND_GATEWAY } from './inner-network.ts';
import { CLIENT, GATEWAY, INSTANCE } from './network.ts';
import { FLOATING, FORWARDED, FORWARDED_PORT, type NeutronNetwork, NO_SCOPE } from './neutron-network.ts';

/** What some traffic was like. */
export interface Portrait {
  /** By what was tried: whom the other end has seen, or why it has seen nobody. */
  readonly seen: Readonly<Record<string, string>>;
  /** What connection tracking has of it: both directions, without ports, and the connection's mark. */
  readonly flows: readonly string[];
  /** Of every packet that was forwarded: addresses, protocol, mark, the connection's mark. */
  readonly marks: readonly string[];
}

/** What to try, whom the other end is to see (`timeout`: nobody), and how to try it for so many milliseconds. */
export type Attempt = readonly [what: string, seen: string, happens: (patience: number) => Promise<string>];

const METADATA = ['169.254.169.254', 80] as const;

/** How long to wait for what is to come, and for what is not. */
const [PATIENCE, NOT_FOR_LONG] = [60_000, 250];

/** What Neutron does for its machines, by its own rules; `scope`: that of the second inner network. */
export function trafficOfNeutron(
  { client, instance, left, right, router }: NeutronNetwork,
  scope: number,
): readonly Attempt[] {
  const whereScopesAgree = (address: string) => (scope === NO_SCOPE ? address : 'timeout');
  return [
    ['client → floating IP', CLIENT[4], (patience) => client.connect(FLOATING, 8080, patience)],
    ['client → floating IP, UDP', CLIENT[4], (patience) => client.ask(FLOATING, 8080, { patience })],
    ['client → forward of Neutron’s', CLIENT[4], (patience) => client.connect(FORWARDED, FORWARDED_PORT, patience)],
    ['owner of the floating IP → outside', FLOATING, (patience) => left.connect(CLIENT[4], 7000, patience)],
    ['owner of the floating IP → outside, UDP', FLOATING, (patience) => left.ask(CLIENT[4], 7000, { patience })],
    ['instance → outside', GATEWAY[4], (patience) => instance.connect(CLIENT[4], 7000, patience)],
    ['instance → outside, UDP', GATEWAY[4], (patience) => instance.ask(CLIENT[4], 7000, { patience })],
    ['second network → outside', GATEWAY[4], (patience) => right.connect(CLIENT[4], 7000, patience)],
    ['instance → metadata', INSTANCE[4], (patience) => instance.connect(...METADATA, patience)],
    ['second network → metadata', RIGHT[4], (patience) => right.connect(...METADATA, patience)],
    ['second network → metadata proxy', 'timeout', (patience) => right.connect(SECOND_GATEWAY[4], 9697, patience)],
    ['instance → floating IP', whereScopesAgree(GATEWAY[4]), (patience) => instance.connect(FLOATING, 8080, patience)],
    ['router → floating IP', GATEWAY[4], (patience) => router.connect(FLOATING, 8080, patience)],
    [
      'instance → second network',
      whereScopesAgree(INSTANCE[4]),
      (patience) => instance.connect(RIGHT[4], 8080, patience),
    ],
  ];
}

/** Has machines use floating IPs of their own network, which Neutron lets them do by translating their source, too. */
export function hairpinOfNeutron({ left, right }: NeutronNetwork): readonly Attempt[] {
  return [
    ['neighbour → floating IP', GATEWAY[4], (patience) => right.connect(FLOATING, 8080, patience)],
    ['owner → own floating IP', FLOATING, (patience) => left.connect(FLOATING, 8080, patience)],
  ];
}

const LOOK = `table inet look {
  set marks { typeof ip saddr . ip daddr . meta l4proto . meta mark . ct mark ; flags dynamic ; size 4096 ; }
  chain passing {
    type filter hook forward priority 10
    meta l4proto { 6, 17 } add @marks { ip saddr . ip daddr . meta l4proto . meta mark . ct mark }
  }
}
`;

/** Forgets all flows of the router, then makes the attempts, one after the other. */
export async function portraitOf(router: string, attempts: readonly Attempt[]): Promise<Portrait> {
  await nft(router, `add table inet look\ndelete table inet look\n${LOOK}`);
  await runIn(router, 'conntrack', ['-F']);
  const seen: Record<string, string> = {};
  for (const [what, expected, happens] of attempts) {
    seen[what] = await outcome(happens(expected === 'timeout' ? NOT_FOR_LONG : PATIENCE));
  }
  const flows = await runIn(router, 'conntrack', ['-L', '-f', 'ipv4']);
  const marks = await runIn(router, 'nft', ['--numeric', 'list', 'set', 'inet', 'look', 'marks']);
  return {
    seen,
    flows: distinct(flows.trim().split('\n').map(withoutPorts)),
    marks: distinct(marks.match(/[\d.]+ \. [\d.]+ \. \d+ \. 0x\w+ \. 0x\w+/g) ?? []),
  };
}

/** What is to be in `seen`. */
export function expectedOf(attempts: readonly Attempt[]): Portrait['seen'] {
  return Object.fromEntries(attempts.map(([what, seen]) => [what, seen]));
}

function outcome(greeting: Promise<string>): Promise<string> {
  return greeting.then(
    (text) => text.replace(/ \d+$/, ''),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

function withoutPorts(flow: string): string {
  return (flow.match(/^\w+|src=\S+|dst=\S+|mark=\d+/g) ?? []).join(' ');
}

function distinct(lines: Iterable<string>): readonly string[] {
  return [...new Set(lines)].sort();
}
