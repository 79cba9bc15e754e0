import type { Counters, Forward } from '../../client/operations.ts';
import { reasonOf } from '../../model/errors.ts';
import { type Client, createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { type DocumentFormat, printDetails, printDocument } from '../output/listing.ts';
import { STATE_COLOURS } from '../output/states.ts';
import type { Column } from '../output/table.ts';
import { visible } from '../output/text.ts';

export interface ShowFlags extends DaemonFlags {
  readonly output?: DocumentFormat;
}

type NodeColumn = Column<Forward['status']['nodes'][number]>;

const NODES: readonly NodeColumn[] = [
  { title: 'node', cell: (on) => on.node },
  { title: 'state', cell: (on) => on.state, colour: (on) => STATE_COLOURS[on.state] },
  { title: 'external_address', cell: (on) => on.external_address ?? '' },
  { title: 'revision', cell: (on) => String(on.revision) },
  { title: 'at', cell: (on) => on.at },
  { title: 'message', cell: (on) => on.message ?? '' },
];

/** In a form for programs, the API's forward with its `counters` beside: one for each node that has it. */
export async function show(this: CliContext, flags: ShowFlags, reference: string): Promise<void> {
  const client = createClient(this, flags);
  const forward = await client.getForward(reference);
  const counters = await countersOf(this, client, forward);
  if (flags.output !== undefined) return printDocument(this, flags.output, { ...forward, counters });
  printDetails(this, [...pairs(forward), ...(counters ?? []).flatMap(counterPairs)], {
    title: 'nodes',
    columns: NODES,
    rows: forward.status.nodes,
  });
}

/** `null`: they could not be read, which keeps nobody from seeing the forward. */
async function countersOf(
  { process }: CliContext,
  client: Client,
  { id }: Forward,
): Promise<readonly Counters[] | null> {
  try {
    return await client.getCounters(id);
  } catch (error) {
    process.stderr.write(`hatoba: ${visible(`counters could not be read: ${reasonOf(error)}`)}\n`);
    return null;
  }
}

function counterPairs(counted: Counters): readonly (readonly [string, string])[] {
  const { connections, packets_in, bytes_in, packets_out, bytes_out, last_used } = counted;
  const numbers = { connections, packets_in, bytes_in, packets_out, bytes_out };
  return [
    ...Object.entries(numbers).map(([name, value]) => [name, value === null ? '' : String(value)] as const),
    ['last_used', last_used ?? ''],
  ];
}

function pairs(forward: Forward): readonly (readonly [string, string])[] {
  const labels = Object.entries(forward.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ['id', forward.id],
    ['name', forward.name ?? ''],
    ['description', forward.description ?? ''],
    ['project_id', forward.project_id ?? ''],
    ['labels', labels.join(', ')],
    ['router', forward.router],
    ['protocol', forward.protocol],
    ['external_address', forward.external_address],
    ['external_port', forward.external_port],
    ['internal_address', forward.internal_address],
    ['internal_port', forward.internal_port],
    ['sources', forward.sources.join(', ')],
    ['enabled', String(forward.enabled)],
    ['expires_at', forward.expires_at ?? ''],
    ['revision', String(forward.revision)],
    ['created_at', forward.created_at],
    ['updated_at', forward.updated_at],
    ['state', forward.status.state],
    ['message', forward.status.message ?? ''],
    ...forward.status.warnings.map((warning) => ['warning', warning] as const),
  ];
}
