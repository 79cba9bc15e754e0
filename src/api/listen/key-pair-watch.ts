import { existsSync, type FSWatcher, watch } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type KeyPair, type KeyPairFiles, readKeyPair, sameKeyPair } from './key-pair.ts';

/** Certificate and key are two files, and what replaces them replaces one after the other: so long they rest before they are read. */
const REST = 500;

export interface KeyPairWatch {
  /** As it was when the watch began. */
  readonly first: KeyPair;
  /** Reads the files now. */
  reload(): void;
  stop(): void;
}

export interface KeyPairListener {
  readonly onChange: (pair: KeyPair) => void;
  /** What is in the files cannot be used; the pair of before counts. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Tells when there is another pair in the files. Certbot and Kubernetes keep links there and replace these, or links to the
 * directory that they lead to; so all that happens in the directories of the links and of the files themselves counts.
 * Error: `key_pair_unusable`.
 */
export async function watchKeyPair(
  files: KeyPairFiles,
  { onChange, onTrouble }: KeyPairListener,
): Promise<KeyPairWatch> {
  let watchers: readonly FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let reading: Promise<void> = Promise.resolve();
  // Watched first and read then, so that no change is missed in between.
  await watchAgain().catch(onTrouble);
  const first = await readKeyPair(files).catch((error: unknown) => {
    stop();
    throw error;
  });
  let current = first;

  async function watchAgain(): Promise<void> {
    const directories = await directoriesOf(files);
    closeAll();
    if (!stopped) watchers = directories.map((directory) => watchDirectory(directory, soon));
  }

  /** Anything may have happened to the files. */
  function soon(): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(reload, REST).unref();
  }

  function reload(): void {
    reading = reading.then(readAgain).catch(onTrouble);
  }

  async function readAgain(): Promise<void> {
    if (stopped) return;
    await watchAgain();
    const pair = await readKeyPair(files);
    if (sameKeyPair(pair, current)) return;
    current = pair;
    onChange(pair);
  }

  function closeAll(): void {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    closeAll();
  }

  return { first, reload, stop };
}

async function directoriesOf({ certificate, key }: KeyPairFiles): Promise<readonly string[]> {
  const found = [certificate, key].map(async (file) => {
    const target = await realpath(file).catch(() => file);
    return [nearest(dirname(file)), nearest(dirname(target))];
  });
  return [...new Set((await Promise.all(found)).flat())];
}

/** A directory that is not there yet will appear in one that is. */
function nearest(directory: string): string {
  return existsSync(directory) ? directory : nearest(dirname(directory));
}

function watchDirectory(directory: string, onEvent: () => void): FSWatcher {
  return watch(directory, { persistent: false }, onEvent).on('error', onEvent);
}
