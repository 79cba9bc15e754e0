import { closeSync, constants, openSync } from 'node:fs';
import { enterNetworkNamespace, isNetworkNamespace, SystemCallError, unshareNetworkNamespace } from '../libc.ts';

/** The thread is stuck in a foreign namespace: nothing it does from here on would be right. */
export class LostNamespace extends Error {
  override readonly name = 'LostNamespace';
}

/** Moves the one thread that may change namespaces, always there and back within one synchronous step. */
export interface ThreadNamespace {
  readonly home: number;
  /** What `work` gives, done inside the namespace. */
  inside<Value>(fd: number, work: () => Value): Value;
  /** A new namespace without a name; gone as soon as the descriptor is closed. */
  createAnonymous(): number;
}

export function openThreadNamespace(): ThreadNamespace {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const goHome = () => {
    try {
      enterNetworkNamespace(home);
    } catch (error) {
      throw new LostNamespace('cannot return to the own network namespace', { cause: error });
    }
  };
  return {
    home,
    inside(fd, work) {
      enterNetworkNamespace(fd);
      try {
        return work();
      } finally {
        goHome();
      }
    },
    createAnonymous() {
      unshareNetworkNamespace();
      try {
        return openSync('/proc/thread-self/ns/net', 'r');
      } finally {
        goHome();
      }
    },
  };
}

/**
 * Opens the namespace at `path`. `undefined`: there is none, or its name is there but nothing is mounted on it (yet), or
 * something else than a network namespace. Throws SystemCallError where there are too many files open.
 */
export function openNamespace(path: string): number | undefined {
  let fd: number;
  try {
    // Non-blocking: whoever can write the directory could put a FIFO there.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EMFILE' || code === 'ENFILE') throw new SystemCallError('open', code);
    return undefined;
  }
  try {
    if (isNetworkNamespace(fd)) return fd;
  } catch (error) {
    closeSync(fd);
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
  closeSync(fd);
  return undefined;
}
