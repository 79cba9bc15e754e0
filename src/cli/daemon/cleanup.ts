import { HatobaError } from '../../model/errors.ts';
import { createClient } from '../client.ts';
import { absolute, type CliContext } from '../context.ts';
import { visible } from '../output/text.ts';

export interface CleanupFlags {
  readonly config?: string;
}

/**
 * The other command that works on this machine itself; see serve. Where a daemon runs, it takes out what that one does not
 * know; anything else, it would put back. Error: `daemon_running`, where there is none of that.
 */
export async function cleanup(this: CliContext, flags: CleanupFlags): Promise<void> {
  const { cleanUp, socketOf } = await import('../../daemon/main.ts');
  const options = flags.config === undefined ? {} : { config: absolute(this, flags.config) };
  const { stdout } = this.process;
  try {
    const { instances } = await cleanUp(options);
    if (instances.length === 0) stdout.write('there is no router on this machine\n');
    else stdout.write(`no forward is left in the kernel in ${instances.map(visible).join(', ')}\n`);
  } catch (error) {
    if (!(error instanceof HatobaError) || error.code !== 'daemon_running') throw error;
    const { removed } = await createClient(this, { socket: await socketOf(options) }).cleanUp();
    if (removed.length === 0) throw error;
    for (const { router, forwards } of removed) {
      const what = forwards === 1 ? '1 orphaned forward was' : `${forwards} orphaned forwards were`;
      stdout.write(`${what} taken out of the kernel in ${visible(router)}\n`);
    }
  }
}
