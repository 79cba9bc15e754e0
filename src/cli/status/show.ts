import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import { type DocumentFormat, printDetails, printDocument } from '../output/listing.ts';

export interface StatusFlags {
  readonly socket?: string;
  readonly output?: DocumentFormat;
}

export async function showStatus(this: CliContext, flags: StatusFlags): Promise<void> {
  const status = await createClient(this, flags.socket).getStatus();
  if (flags.output !== undefined) return printDocument(this, flags.output, status);
  const { total, ...states } = status.forwards;
  const counts = Object.entries(states).flatMap(([state, count]) => (count === 0 ? [] : `${count} ${state}`));
  printDetails(this, [
    ['version', status.version],
    ['node', status.node],
    ['roles', status.roles.join(' ')],
    ['started_at', status.started_at],
    ['store', status.store],
    ['driver', status.driver ?? ''],
    ['revision', String(status.revision)],
    ['routers', String(status.routers)],
    ['forwards', total === 0 ? '0' : `${total} (${counts.join(', ')})`],
  ]);
}
