import { hatobaError } from '../../model/errors.ts';
import { absolute, type CliContext } from '../context.ts';

const LISTEN = '--listen: this version answers on its unix socket alone, since it has no authentication yet';

export interface ServeFlags {
  readonly config?: string;
  readonly store?: string;
  readonly socket?: string;
  readonly listen?: string;
  readonly roles?: string;
  readonly node?: string;
  readonly cleanupOnExit?: boolean;
}

/** One of the two commands that are the daemon instead of talking to it; hence the import, which no other command pays. */
export async function serve(this: CliContext, flags: ServeFlags): Promise<void> {
  const { runDaemon } = await import('../../daemon/main.ts');
  if (flags.listen !== undefined) throw hatobaError('usage_malformed', { reason: LISTEN });
  const { config, socket = this.env['HATOBA_SOCKET'] || undefined, ...others } = flags;
  await runDaemon({
    ...others,
    ...(config === undefined ? {} : { config: absolute(this, config) }),
    ...(socket === undefined ? {} : { socket: absolute(this, socket) }),
  });
}
