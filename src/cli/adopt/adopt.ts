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
  readonly allAddresses?: boolean;
  readonly outside?: readonly string[];
  readonly wait?: string;
  readonly output?: DocumentFormat;
}

/** Errors: the API's, `adopt_incomplete` where rules were not taken over, and `rules_bypassed`. */
export async function adoptRules(this: CliContext, flags: AdoptFlags): Promise<void> {
  const client = createClient(this, flags);
  const request = {
    ...(flags.router === undefined ? {} : { router: await completeRouter(client, flags.router) }),
    ...(flags.followGateway === true ? { follow_gateway: true } : {}),
    ...(flags.allAddresses === true ? { all_addresses: true } : {}),
    ...(flags.outside === undefined ? {} : { outside: flags.outside }),
  };
  const planned = await plan(this, client, request);
  const result = await carryOut(this, client, flags, { request, planned });
  if (flags.output !== undefined) await printDocument(this, flags.output, result);
  refuseIncomplete(result);
}

interface Planned {
  readonly request: object;
  readonly planned: AdoptResult;
}

/** What was done where that is wanted, else the plan; both are told where no document is asked for. */
async function carryOut(
  context: CliContext,
  client: Client,
  flags: AdoptFlags,
  { request, planned }: Planned,
): Promise<AdoptResult> {
  const { stdout, stderr } = context.process;
  const isAsked = planned.rules.length > 0 && flags.yes !== true;
  // Who is asked has to see what about; standard output is for the one document.
  if (flags.output === undefined) printAdoption(stdout, planned);
  else if (isAsked && context.ask !== undefined) printAdoption(stderr, planned);
  if (planned.rules.length === 0 || (isAsked && !(await isWanted(context, planned)))) return planned;
  const { value, elapsedMs } = await timed(context, 'the kernel', () =>
    client.adopt({ ...request, plan: planned.plan }, flags.wait),
  );
  if (flags.output === undefined) printOutcome(context, value, elapsedMs);
  return value;
}

async function plan(context: CliContext, client: Client, request: object): Promise<AdoptResult> {
  return (await timed(context, 'the daemon', () => client.adopt({ ...request, dry_run: true }, '0'))).value;
}

async function isWanted(context: CliContext, { rules }: AdoptResult): Promise<boolean> {
  const answer = await context.ask?.(`take over ${rules.length === 1 ? 'this rule' : 'these rules'}? [y/N] `);
  const isYes = answer !== undefined && /^y(es)?$/i.test(answer.trim());
  const hint = answer === undefined ? '; --yes carries it out' : '';
  if (!isYes) context.process.stderr.write(`hatoba: nothing was changed${hint}\n`);
  return isYes;
}

function refuseIncomplete({ rules, left, bypassed, unread }: AdoptResult): void {
  const kept = rules.filter(({ outcome }) => outcome === 'kept' || outcome === 'failed').length;
  const count = left.length + kept;
  if (count > 0) throw hatobaError('adopt_incomplete', { count, total: left.length + rules.length });
  const [reason] = unread;
  if (reason !== undefined) throw hatobaError('rules_unreadable', { reason });
  if (bypassed.length > 0) throw hatobaError('rules_bypassed', { count: bypassed.length });
}
