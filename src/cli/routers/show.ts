import type { Router } from '../../client/operations.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { type DocumentFormat, printDetails, printDocument } from '../output/listing.ts';
import type { Column } from '../output/table.ts';

export interface ShowFlags extends DaemonFlags {
  readonly output?: DocumentFormat;
}

type NodeColumn = Column<Router['nodes'][number]>;

const NODES: readonly NodeColumn[] = [
  { title: 'node', cell: (on) => on.node },
  { title: 'instances', cell: (on) => on.instances.join(' ') },
  { title: 'gateways', cell: (on) => on.gateways.join(' ') },
  { title: 'revision', cell: (on) => String(on.revision) },
  { title: 'at', cell: (on) => on.at },
  { title: 'problems', cell: (on) => String(on.problems), colour: (on) => (on.problems > 0 ? 'red' : 'green') },
  { title: 'error', cell: (on) => on.error ?? '', colour: () => 'red' },
];

export async function show(this: CliContext, flags: ShowFlags, reference: string): Promise<void> {
  const router = await createClient(this, flags).getRouter(reference);
  if (flags.output !== undefined) return printDocument(this, flags.output, router);
  const pairs: readonly (readonly [string, string])[] = [
    ['id', router.id],
    ['gateways', router.gateways.join(' ')],
    ['forwards', String(router.forwards)],
  ];
  printDetails(this, pairs, { title: 'nodes', columns: NODES, rows: router.nodes });
}
