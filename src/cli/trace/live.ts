import type { LiveTrace, Trace } from '../../client/operations.ts';
import { printEndpoint } from '../../model/address.ts';

type Way = NonNullable<LiveTrace['packet']>['way'];
type Ends = Way['arrived'];
type Step = Way['steps'][number];

/** What the kernel did with the packet, for people; nothing where none was caught. */
export function liveLines({ live }: Trace): readonly string[] {
  if (live === null || live.packet === null) return [];
  const { instance, way, reply, known_flow, verdict, legacy_tables } = live.packet;
  const known = known_flow
    ? ['Connection tracking knew its flow, and led it as that had begun: no nat chain was asked for it.']
    : [];
  return [
    '',
    `A packet came to ${instance} on node ${live.node}.`,
    ...wayLines(way, 'packet'),
    ...known,
    ...(reply === null ? noReply(way) : ['', 'The answer came.', ...wayLines(reply, 'answer')]),
    '',
    verdict,
    ...legacyWarning(legacy_tables),
  ];
}

function wayLines({ arrived, from, steps, outcome, left, to }: Way, what: string): readonly string[] {
  const where = from === null ? 'from the router itself' : `by ${from}`;
  const ways: Readonly<Record<Way['outcome'], string>> = {
    forwarded: `It left by ${to} ${left === null ? '' : between(left)}.`,
    delivered: `It was delivered to the router itself ${left === null ? '' : between(left)}.`,
    dropped: 'There it was dropped.',
    lost: `Nothing more was seen of the ${what}: what is no rule of nftables took it.`,
  };
  return [`It came ${where} ${between(arrived)}.`, ...steps.flatMap(stepLines), ways[outcome]];
}

/** The chain above its first step. */
function stepLines(step: Step, index: number, steps: readonly Step[]): readonly string[] {
  const before = steps[index - 1];
  const isSameChain = before !== undefined && before.table === step.table && before.chain === step.chain;
  const line = `      ${stepLine(step)}`;
  return isSameChain ? [line] : [`   ${chainOf(step)}`, line];
}

/** Most rules say themselves what they do. */
function stepLine({ rule, handle, verdict }: Step): string {
  if (rule === null) return `${handle === null ? 'policy' : `rule with handle ${handle}`}: ${verdict}`;
  return rule.endsWith(verdict) ? rule : `${rule}: ${verdict}`;
}

function chainOf({ table, chain, base, ours }: Step): string {
  const place = base === null ? '' : ` (${base.type}, ${base.hook}, priority ${base.priority})`;
  return `${table} ${chain}${place}${ours ? ', ours' : ''}`;
}

function between({ source, source_port, destination, destination_port }: Ends): string {
  return `from ${printEndpoint(source, source_port)} to ${printEndpoint(destination, destination_port)}`;
}

function noReply({ left }: Way): readonly string[] {
  return left === null ? [] : ['', 'No answer was seen within a second.'];
}

function legacyWarning(tables: readonly string[]): readonly string[] {
  if (tables.length === 0) return [];
  return [
    `There are tables of iptables-legacy, too (${tables.join(', ')}), of whose rules the kernel tells nothing here: see iptables-legacy-save.`,
  ];
}
