import type { Role } from '../../model/caller.ts';
import { createClient } from '../client.ts';
import type { CliContext } from '../context.ts';
import type { DaemonFlags } from '../daemon-place.ts';
import { inWords } from '../errors.ts';
import { readExpires } from '../forwards/expires.ts';
import { type DocumentFormat, printDocument } from '../output/listing.ts';
import { visible } from '../output/text.ts';

export interface CreateFlags extends DaemonFlags {
  readonly role: Role;
  readonly project?: string;
  readonly expires?: string;
  readonly output?: DocumentFormat;
}

const WORDS = { name: 'argument name', role: '--role', project: '--project', expires_at: '--expires' };

/** On standard output there is nothing but the secret, so that it can go where it is needed. */
export async function create(this: CliContext, flags: CreateFlags, name: string): Promise<void> {
  const { role, project = null, expires, output } = flags;
  const fields = { name, role, project, ...readExpires(expires) };
  const token = await createClient(this, flags)
    .createToken(fields)
    .catch((error: unknown) => {
      throw inWords(WORDS, error);
    });
  if (output !== undefined) return printDocument(this, output, token);
  const { stdout, stderr } = this.process;
  const scope = token.project === null ? 'all projects' : `project ${token.project}`;
  const end = token.expires_at === null ? 'for ever' : `until ${token.expires_at}`;
  stderr.write(`${visible(`token ${name}, ${role} of ${scope}, is valid ${end}; it is told this once:`)}\n`);
  stdout.write(`${token.secret}\n`);
}
