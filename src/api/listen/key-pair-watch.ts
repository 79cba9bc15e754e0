import { type FSWatcher, watch } from 'node:fs';
import { directoriesOnTheWay } from './directories-on-the-way.ts';
import { type KeyPair, type KeyPairFiles, readKeyPair, sameKeyPair } from './key-pair.ts';

/** Certificate and key are two files, and what replaces them replaces one after the other: so long after a change they are read. */
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
 * directory that they lead to; so all that happens in the directories of the files and of all links on the way to them counts.
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
    if (stopped) return;
    const before = watchers;
    // Where these cannot be had, those of before stay.
    watchers = watchDirectories(directories, soon);
    closeAll(before);
  }

  /** Anything may have happened to the files. */
  function soon(): void {
    if (stopped) return;
    // From the first event on: where there is always something going on, it would never be the time.
    timer ??= setTimeout(() => {
      timer = undefined;
      reload();
    }, REST).unref();
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

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
    closeAll(watchers);
  }

  return { first, reload, stop };
}

async function directoriesOf({ certificate, key }: KeyPairFiles): Promise<readonly string[]> {
  const found = await Promise.all([certificate, key].map(directoriesOnTheWay));
  return [...new Set(found.flat())];
}

/** Error: where one cannot be watched; then none is. */
function watchDirectories(directories: readonly string[], onEvent: () => void): readonly FSWatcher[] {
  const watchers: FSWatcher[] = [];
  try {
    for (const directory of directories) {
      watchers.push(watch(directory, { persistent: false }, onEvent).on('error', onEvent));
    }
    return watchers;
  } catch (error) {
    closeAll(watchers);
    throw error;
  }
}

function closeAll(watchers: readonly FSWatcher[]): void {
  for (const watcher of watchers) watcher.close();
}
