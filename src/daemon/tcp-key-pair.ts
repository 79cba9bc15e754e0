import type { Logger } from 'pino';
import type { KeyPair } from '../api/listen/key-pair.ts';
import type { TcpListener } from '../api/listen/tcp.ts';
import type { Config } from './config-schema.ts';

interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  readonly steps: AsyncDisposableStack;
}

/** The certificate that is served, and how a listener is kept up to date with its files. */
export interface ServedKeyPair {
  readonly first: KeyPair;
  follow(listener: TcpListener): void;
}

/** Refuses early what would be no use later. Error: `key_pair_unusable`. */
export async function checkKeyPair({ listen, tls }: Config): Promise<void> {
  if (listen === null || tls === null) return;
  const { readKeyPair } = await import('../api/listen/key-pair.ts');
  await readKeyPair(tls);
}

/**
 * Reads what is configured; `null`: nothing, and then nothing of it is loaded. From `follow` on, the files are read again when
 * something has happened to them, and at SIGHUP. Error: `key_pair_unusable`.
 */
export async function openKeyPair({ config, log, steps }: Surroundings): Promise<ServedKeyPair | null> {
  if (config.tls === null) return null;
  const { watchKeyPair } = await import('../api/listen/key-pair-watch.ts');
  const listeners: TcpListener[] = [];
  const watch = await watchKeyPair(config.tls, {
    onChange(pair) {
      for (const listener of listeners) listener.useKeyPair(pair);
      log.info({ validTo: new Date(pair.validTo).toISOString() }, 'the certificate was replaced');
      warnOfEnd(log, pair);
    },
    onTrouble: (error) => log.warn({ error }, 'the certificate stays as it was'),
  });
  warnOfEnd(log, watch.first);
  const reload = () => watch.reload();
  process.on('SIGHUP', reload);
  steps.defer(() => {
    process.off('SIGHUP', reload);
    watch.stop();
  });
  return { first: watch.first, follow: (listener) => void listeners.push(listener) };
}

function warnOfEnd(log: Logger, { validTo }: KeyPair): void {
  if (validTo < Date.now()) log.warn('the certificate is no longer valid');
}
