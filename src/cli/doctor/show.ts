import type { Diagnosis, Finding } from '../../client/operations.ts';
import { EXIT } from '../../model/error-catalogue.ts';
import { hatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import { type CliContext, mayColour } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { inWords } from '../errors.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { type Colour, type Column, formatTable } from '../output/table.ts';
import { visible } from '../output/text.ts';

export interface DoctorFlags extends DaemonFlags {
  readonly router?: string;
  readonly output?: DocumentFormat;
}

const COLOURS: Readonly<Record<Finding['level'], Colour>> = { ok: 'green', warning: 'yellow', problem: 'red' };

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'level', cell: ({ level }) => level, colour: ({ level }) => COLOURS[level] },
  { title: 'code', cell: ({ code }) => code },
  { title: 'where', cell: ({ instance, router }) => instance ?? router ?? '' },
  { title: 'seen', cell: ({ seen }) => seen },
];

/** Says what was found, and ends with 1 where there is a problem. */
export async function showDiagnosis(this: CliContext, flags: DoctorFlags, forward?: string): Promise<void> {
  if (forward !== undefined && flags.router !== undefined) {
    throw hatobaError('usage_malformed', { reason: 'a forward and --router exclude each other' });
  }
  const found = await diagnose(this, flags, forward);
  if (found.problems > 0) this.process.exitCode = EXIT.failed;
  if (flags.output !== undefined) return printDocument(this, flags.output, found);
  const { stdout } = this.process;
  stdout.write(formatTable(COLUMNS, found.findings, mayColour(this, stdout)));
  stdout.write([...advice(found.findings), '', summary(found)].map((line) => `${visible(line)}\n`).join(''));
}

async function diagnose(context: CliContext, flags: DoctorFlags, forward?: string): Promise<Diagnosis> {
  try {
    return await createClient(context, flags).diagnose(forward ?? null, flags.router);
  } catch (error) {
    throw inWords({ router: '--router' }, error);
  }
}

/** Each advice once, with the code that it is for. */
function advice(findings: readonly Finding[]): readonly string[] {
  const lines = findings.flatMap(({ code, advice: text }) => (text === null ? [] : [`${code}: ${text}`]));
  return lines.length === 0 ? [] : ['', 'What to do:', ...new Set(lines.map((line) => `  ${line}`))];
}

function summary({ node, routers, forwards, problems, warnings }: Diagnosis): string {
  const looked = `${counted(routers, 'router')} with ${counted(forwards, 'forward')} on node ${node}`;
  return `${counted(problems, 'problem')} and ${counted(warnings, 'warning')}; looked at ${looked}.`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
