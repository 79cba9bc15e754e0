import type { AdoptResult } from '../../client/operations.ts';
import { hatobaError } from '../../model/errors.ts';
import { type Client, createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { completeRouter } from '../forwards/input.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { timed } from '../progress.ts';
import { printAdoption, printOutcome } from './report.ts';

export interface AdoptFlags extends DaemonFlags {
  readonly router?: string;
  readonly yes?: boolean;
  readonly followGateway?: boolean;
  readonly outside?: readonly string[];
  readonly wait?: string;
  readonly output?: DocumentFormat;
}

/** Errors: the API's, and `adopt_incomplete` where rules were not taken over. */
export async function adoptRules(this: CliContext, flags: AdoptFlags): Promise<void> {
  const client = createClient(this, flags);
  const request = {
    ...(flags.router === undefined ? {} : { router: await completeRouter(client, flags.router) }),
    ...(flags.followGateway === true ? { follow_gateway: true } : {}),
    ...(flags.outside === undefined ? {} : { outside: flags.outside }),
  };
  const planned = await plan(this, client, request);
  const isShown = flags.yes !== true || flags.output === undefined;
  if (isShown) await show(this, flags, planned);
  if (planned.rules.length > 0 && (await isWanted(this, flags, planned))) {
    const { value, elapsedMs } = await timed(this, 'the kernel', () =>
      client.adopt({ ...request, plan: planned.plan }, flags.wait),
    );
    if (flags.output === undefined) printOutcome(this, value, elapsedMs);
    else await printDocument(this, flags.output, value);
    refuseIncomplete(value);
  } else {
    if (!isShown) await show(this, flags, planned);
    refuseIncomplete(planned);
  }
}

async function plan(context: CliContext, client: Client, request: object): Promise<AdoptResult> {
  return (await timed(context, 'the daemon', () => client.adopt({ ...request, dry_run: true }, '0'))).value;
}

async function show(context: CliContext, { output }: AdoptFlags, planned: AdoptResult): Promise<void> {
  if (output === undefined) printAdoption(context, planned);
  else await printDocument(context, output, planned);
}

async function isWanted(context: CliContext, { yes }: AdoptFlags, { rules }: AdoptResult): Promise<boolean> {
  if (yes === true) return true;
  const answer = await context.ask?.(`take over ${rules.length === 1 ? 'this rule' : 'these rules'}? [y/N] `);
  const isYes = answer !== undefined && /^y(es)?$/i.test(answer.trim());
  const hint = answer === undefined ? '; --yes carries it out' : '';
  if (!isYes) context.process.stderr.write(`hatoba: nothing was changed${hint}\n`);
  return isYes;
}

function refuseIncomplete({ rules, left, unread }: AdoptResult): void {
  const kept = rules.filter(({ outcome }) => outcome === 'kept' || outcome === 'failed').length;
  const count = left.length + kept;
  if (count > 0) throw hatobaError('adopt_incomplete', { count, total: left.length + rules.length });
  const [reason] = unread;
  if (reason !== undefined) throw hatobaError('rules_unreadable', { reason });
}
