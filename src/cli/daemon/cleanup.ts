import { absolute, type CliContext } from '../context.ts';
import { visible } from '../output/text.ts';

export interface CleanupFlags {
  readonly config?: string;
}

/** The other command that works on this machine itself; see serve. */
export async function cleanup(this: CliContext, flags: CleanupFlags): Promise<void> {
  const { cleanUp } = await import('../../daemon/main.ts');
  const { instances } = await cleanUp(flags.config === undefined ? {} : { config: absolute(this, flags.config) });
  const { stdout } = this.process;
  if (instances.length === 0) stdout.write('there is no router on this machine\n');
  else stdout.write(`no forward is left in the kernel in ${instances.map(visible).join(', ')}\n`);
}
