import type { IptablesVariant } from '../../../kernel/nft/iptables-chains.ts';
import type { ProgramResult } from '../../../kernel/program.ts';
import { NO_SUCH_PROGRAM } from '../../../kernel/program.ts';
import type { Family } from '../../../model/address.ts';
import { hatobaError } from '../../../model/errors.ts';
import type { NamespaceKernel } from '../backend.ts';

/** The machine's iptables: which of the two it is, and what the programs of either are called. */
export interface Programs {
  /** `null`: there is none. */
  readonly variant: IptablesVariant | null;
  /** `iptables` or `ip6tables`, of this variant; `-save` and `-restore` come behind. */
  name(variant: IptablesVariant, family: Family): string;
}

/** Asked when it is needed first, and again until there is one. `program`: `iptables`, or what is to be used in its place. */
export function createPrograms(program = 'iptables'): (kernel: NamespaceKernel) => Promise<Programs> {
  let known: Programs | undefined;
  return async (kernel) => {
    if (known === undefined || known.variant === null) {
      known = programsOf(program, await kernel.run([program, '--version']));
    }
    return known;
  };
}

function programsOf(program: string, { exitCode, stdout }: ProgramResult): Programs {
  // Before 1.8 there was only what is called legacy since then, and the version says nothing of it.
  const variant = exitCode !== 0 ? null : stdout.includes('nf_tables') ? 'nft' : 'legacy';
  return {
    variant,
    name(wanted, family) {
      const name = wanted === variant ? program : `iptables-${wanted}`;
      return family === 4 ? name : name.replace(/^ip/, 'ip6');
    },
  };
}

/** What `iptables-save` says of the table nat, within so many ms. Error: `kernel_refused`. */
export async function save(kernel: NamespaceKernel, program: string, within?: number): Promise<string> {
  return (await run(kernel, [`${program}-save`, '--table', 'nat', '--counters'], '', within)).stdout;
}

/** Has `iptables-restore` carry out the lines as one transaction. Error: `kernel_refused`. */
export async function restore(kernel: NamespaceKernel, program: string, lines: readonly string[]): Promise<void> {
  const input = ['*nat', ...lines, 'COMMIT', ''].join('\n');
  await run(kernel, [`${program}-restore`, '--noflush', '--wait'], input);
}

async function run(
  kernel: NamespaceKernel,
  argv: readonly string[],
  input = '',
  within?: number,
): Promise<ProgramResult> {
  const result = await kernel.run(argv, input, within);
  if (result.exitCode === 0) return result;
  throw hatobaError('kernel_refused', { namespace: kernel.namespace, reason: reasonOf(argv, result) });
}

function reasonOf([program = '']: readonly string[], { exitCode, stderr }: ProgramResult): string {
  if (exitCode === NO_SUCH_PROGRAM) return `there is no program ${program}`;
  if (exitCode === null) return `${program} did not come to an end, and was killed`;
  const [line = ''] = stderr.split('\n').filter((text) => text.trim() !== '');
  return `${program} ended with exit code ${exitCode}: ${line.trim()}`;
}
