import { absolute, type CliContext } from '../context.ts';

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
  const { config, socket = this.env['HATOBA_SOCKET'] || undefined, ...others } = flags;
  await runDaemon({
    ...others,
    ...(config === undefined ? {} : { config: absolute(this, config) }),
    ...(socket === undefined ? {} : { socket: absolute(this, socket) }),
  });
}
