import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { forEachReference } from '../forwards/each.ts';
import { visible } from '../output/text.ts';

export async function revoke(this: CliContext, flags: DaemonFlags, ...references: readonly string[]): Promise<void> {
  const client = createClient(this, flags);
  await forEachReference(this, references, async (reference) => {
    const { id, name } = await client.getToken(reference);
    // By its whole id: what the reference meant when it was read is what goes.
    await client.revokeToken(id);
    this.process.stdout.write(`${visible(`token ${name} (${id.slice(0, 8)}…) is revoked`)}\n`);
  });
}
