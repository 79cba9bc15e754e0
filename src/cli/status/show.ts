import type { Status } from '../../client/operations.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { nameForward } from '../forwards/report.ts';
import { type DocumentFormat, printDetails, printDocument } from '../output/listing.ts';
import type { Column } from '../output/table.ts';

export interface StatusFlags extends DaemonFlags {
  readonly output?: DocumentFormat;
}

interface Trouble {
  readonly what: string;
  readonly router: string;
  readonly message: string;
}

const TROUBLES: readonly Column<Trouble>[] = [
  { title: 'what', cell: ({ what }) => what },
  { title: 'router', cell: ({ router }) => router },
  { title: 'message', cell: ({ message }) => message, colour: () => 'red' },
];

export async function showStatus(this: CliContext, flags: StatusFlags): Promise<void> {
  const status = await createClient(this, flags).getStatus();
  if (flags.output !== undefined) return printDocument(this, flags.output, status);
  printDetails(
    this,
    [
      ['version', status.version],
      ['node', status.node],
      ['roles', status.roles.join(' ')],
      ['started_at', status.started_at],
      ['store', status.store],
      ['driver', status.driver ?? ''],
      ['revision', String(status.revision)],
      ['routers', String(status.routers)],
      ['forwards', countStates(status.forwards)],
      ...warnings(status),
      ['connection_tracking', describeTracking(status)],
    ],
    { title: 'errors', columns: TROUBLES, rows: troubles(status) },
  );
}

function warnings({ forwards_with_warnings: count, orphaned }: Status): readonly (readonly [string, string])[] {
  const { forwards, routers } = orphaned;
  const where = `in ${routers} ${routers === 1 ? 'router' : 'routers'}`;
  const orphans = `${forwards} ${where}, which the store does not know; \`hatoba recover\` keeps them, \`hatoba cleanup\` removes them`;
  return [
    ...(forwards === 0 ? [] : [['orphaned', orphans] as const]),
    ...(count === 0
      ? []
      : [['forwards_with_warnings', `${count}; \`hatoba forward list -o wide\` marks them`] as const]),
  ];
}

/** `3 (2 active, 1 pending)`; states that no forward has are left out. */
export function countStates({ total, ...states }: Status['forwards']): string {
  const counts = Object.entries(states).flatMap(([state, count]) => (count === 0 ? [] : `${count} ${state}`));
  return total === 0 ? '0' : `${total} (${counts.join(', ')})`;
}

function describeTracking({ connection_tracking: tracking }: Status): string {
  if (tracking === null) return '';
  const { entries, limit, fullest } = tracking;
  const share = limit === null || limit === 0 ? '' : ` of ${limit} (${percent(fullest.entries, limit)})`;
  const most =
    fullest.entries < entries ? `; the fullest router ${fullest.router} has ${fullest.entries}${share}` : share;
  return `${entries} ${entries === 1 ? 'entry' : 'entries'}${most}`;
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}

function troubles({
  routers_in_error,
  forwards_in_error,
  forwards,
  store_trouble: trouble,
}: Status): readonly Trouble[] {
  const told = forwards_in_error.map((forward) => ({
    what: `forward ${nameForward(forward)}`,
    router: forward.router,
    message: forward.message ?? '',
  }));
  const more = routers_in_error.length === 0 ? forwards.error - told.length : 0;
  return [
    ...(trouble === null ? [] : [{ what: 'the store', router: '', message: trouble }]),
    ...routers_in_error.map(({ router, node, message }) => ({ what: `all on ${node}`, router, message })),
    ...told,
    ...(more > 0
      ? [{ what: `${more} more`, router: '', message: '`hatoba forward list --state error` shows all' }]
      : []),
  ];
}
