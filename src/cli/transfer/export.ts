import type { Backup } from '../../client/operations.ts';
import { compactForward } from '../../interchange/wishes.ts';
import { hatobaError } from '../../model/errors.ts';
import { type Client, createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { printDocument } from '../output/listing.ts';
import type { EXPORT_FORMATS } from './formats.ts';

export interface ExportFlags extends DaemonFlags {
  readonly format: (typeof EXPORT_FORMATS)[number];
  readonly router?: string;
}

type Wish = Omit<Backup['forwards'][number], 'id' | 'created_at' | 'updated_at'>;

export async function exportForwards(this: CliContext, flags: ExportFlags): Promise<void> {
  const client = createClient(this, flags);
  const router = flags.router === undefined ? undefined : (await client.getRouter(flags.router)).id;
  const { forwards } = await client.getBackup();
  const wishes = forwards
    .filter((forward) => router === undefined || forward.router === router)
    .map(({ id: _id, created_at: _created, updated_at: _updated, ...wish }): Wish => wish);
  if (flags.format === 'yaml' || flags.format === 'json') {
    await printDocument(this, flags.format, { forwards: wishes.map(compactForward) });
  } else this.process.stdout.write(await printRules(client, wishes, flags.format === 'iptables' ? 4 : 6));
}

/** A dump is of one namespace. Error: `usage_malformed` where the forwards are of several. */
async function printRules(client: Client, wishes: readonly Wish[], family: 4 | 6): Promise<string> {
  const [{ printIptables }, { parseForwardSpec }, { parseAddress }] = await Promise.all([
    import('../../interchange/iptables-print.ts'),
    import('../../model/forward.ts'),
    import('../../model/address.ts'),
  ]);
  const [router, ...others] = new Set(wishes.map((wish) => wish.router));
  if (others.length > 0) {
    throw hatobaError('usage_malformed', { reason: 'these rules are of one router each: name it with --router' });
  }
  const addresses = router === undefined ? [] : (await client.getRouter(router)).gateways.map(parseAddress);
  const gateways = Object.fromEntries(addresses.map((address) => [address.family, address]));
  return printIptables(wishes.map(parseForwardSpec), family, gateways);
}
