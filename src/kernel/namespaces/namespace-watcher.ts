import { closeSync, lstatSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HOST_ROUTER, isNamespaceName } from '../../model/router.ts';
import type { KernelEvent } from '../kernel.ts';
import { addInotifyWatch, EPOLLIN, EPOLLPRI, openInotify, readNow, SystemCallError } from '../libc.ts';
import { openNamespace } from './thread-namespace.ts';

/** Tells which names in the directory lead to network namespaces, by event. */
export interface NamespaceWatcher {
  /** Whole milliseconds until `onTime` is due; -1: nothing is due. */
  dueIn(): number;
  onTime(): void;
  /** Looks at the whole directory; before the first time nothing is told. */
  scan(): void;
  close(): void;
}

interface Hooks {
  readonly watch: (fd: number, events: number, onReady: () => void) => void;
  readonly unwatch: (fd: number) => void;
  readonly emit: (event: KernelEvent) => void;
}

/** linux/inotify.h */
const IN = {
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  onlyDirectory: 0x0100_0000,
} as const;
const ENTRIES = IN.movedFrom | IN.movedTo | IN.create | IN.delete | IN.onlyDirectory;

/** When the last event was this long ago, everything is looked at once more: for what has no event of its own. */
const SETTLED_AFTER = 1000;

/**
 * A name appears before its namespace is mounted on it, and a mount is no event of inotify; but every change of
 * the mount table wakes who polls /proc/self/mountinfo (`man 5 proc`), and then the names that were seen and had
 * nothing mounted are looked at again.
 */
export function watchNamespaces(directory: string, { watch, unwatch, emit }: Hooks): NamespaceWatcher {
  const inotify = openInotify();
  const mounts = openSync('/proc/self/mountinfo', 'r');
  const events = Buffer.allocUnsafe(1 << 16);
  const device = statSync('/proc/self/ns/net').dev;
  /** Inode numbers of the namespaces: equal numbers, same namespace, as long as somebody holds it. */
  const mounted = new Map<string, number>();
  const pending = new Set<string>();
  const ignored = new Set<string>();
  let directoryWatch: number | undefined;
  /** Whether it was told that the directory cannot be read, since it could be last. */
  let isUnread = false;
  /** By the clock that nobody sets. */
  let settlesAt: number | undefined;

  addInotifyWatch(inotify, dirname(directory), ENTRIES);
  watch(inotify, EPOLLIN, onInotify);
  watch(mounts, EPOLLPRI, onMounts);
  return { dueIn, onTime, scan, close };

  function scan(): void {
    lookAtAll();
    settle();
  }

  function onInotify(): void {
    const names = new Set<string>();
    let everything = false;
    for (let length = readNow(inotify, events); length !== undefined; length = readNow(inotify, events)) {
      for (const event of inotifyEvents(events.subarray(0, length))) {
        if (event.watch === directoryWatch && event.name !== '') names.add(event.name);
        else if (event.name === '' || event.name === basename(directory)) everything = true;
      }
    }
    if (everything) lookAtAll();
    else for (const name of names) look(name);
    settle();
  }

  function onMounts(): void {
    for (const name of pending) look(name);
    settle();
  }

  function settle(): void {
    settlesAt = performance.now() + SETTLED_AFTER;
  }

  function dueIn(): number {
    return settlesAt === undefined ? -1 : Math.ceil(Math.max(0, settlesAt - performance.now()));
  }

  function onTime(): void {
    settlesAt = undefined;
    lookAtAll();
    if (isUnread) return;
    for (const name of pending) ignore(name, 'nothing is mounted on it, or no network namespace');
  }

  function lookAtAll(): void {
    const present = listPresent();
    if (present === undefined) return;
    for (const name of [...mounted.keys(), ...pending, ...ignored]) if (!present.has(name)) forget(name);
    for (const name of present) consider(name);
  }

  /** `undefined`: it cannot be told now; everything is looked at again when what has happened has settled. */
  function listPresent(): ReadonlySet<string> | undefined {
    try {
      directoryWatch = addInotifyWatch(inotify, directory, ENTRIES);
      const present = new Set(directoryWatch === undefined ? [] : listDirectory(directory));
      isUnread = false;
      return present;
    } catch (error) {
      if (!isExhausted(error)) throw error;
      if (!isUnread) emit({ kind: 'unread', reason: error.message });
      isUnread = true;
      settle();
      return undefined;
    }
  }

  /** A name that no router may have is never used as a path: it may be too long for one as it is spelled here. */
  function look(name: string): void {
    if (!isNamespaceName(name)) lookAtAll();
    else if (isListed(name)) consider(name);
    else forget(name);
  }

  /** The name is in the directory; one that is not UTF-8 cannot be looked up there as it is spelled here. */
  function consider(name: string): void {
    if (!isNamespaceName(name)) ignore(name, 'the name has characters that no router may have');
    else if (name === HOST_ROUTER) ignore(name, 'the name is reserved for the root namespace');
    else lookInside(name);
  }

  function lookInside(name: string): void {
    const inode = inodeOf(name);
    if (inode === undefined) {
      unmount(name);
      pending.add(name);
      return;
    }
    pending.delete(name);
    if (mounted.get(name) === inode) return;
    ignored.delete(name);
    mounted.set(name, inode);
    emit({ kind: 'mounted', namespace: name });
  }

  /** All namespaces, of whatever kind, are files of one file system of the kernel's, on a device of its own. */
  function inodeOf(name: string): number | undefined {
    const path = join(directory, name);
    let found: Stats;
    try {
      found = statSync(path);
    } catch {
      return undefined; // A dangling link, a loop of links: told as ignored when it stays so.
    }
    if (found.dev !== device) return undefined;
    return mounted.get(name) === found.ino || isNetworkNamespaceAt(path) ? found.ino : undefined;
  }

  function isListed(name: string): boolean {
    return lstatSync(join(directory, name), { throwIfNoEntry: false }) !== undefined;
  }

  function forget(name: string): void {
    pending.delete(name);
    ignored.delete(name);
    unmount(name);
  }

  function unmount(name: string): void {
    if (mounted.delete(name)) emit({ kind: 'unmounted', namespace: name });
  }

  function ignore(name: string, reason: string): void {
    if (ignored.has(name)) return;
    ignored.add(name);
    emit({ kind: 'ignored', namespace: name, reason });
  }

  function close(): void {
    unwatch(inotify);
    unwatch(mounts);
    closeSync(inotify);
    closeSync(mounts);
  }
}

function isNetworkNamespaceAt(path: string): boolean {
  try {
    const fd = openNamespace(path);
    if (fd !== undefined) closeSync(fd);
    return fd !== undefined;
  } catch (error) {
    // Too many files are open: so it will be for whoever is told of the name, who can say so.
    if (error instanceof SystemCallError) return true;
    throw error;
  }
}

/** Errors that pass when descriptors or memory are free again; ENOSPC: of inotify (`man 2 inotify_add_watch`). */
const EXHAUSTED: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC'];

function isExhausted(error: unknown): error is Error {
  if (error instanceof SystemCallError) return EXHAUSTED.includes(error.errno);
  return error instanceof Error && 'code' in error && EXHAUSTED.includes(error.code);
}

function listDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** `struct inotify_event` (`man 7 inotify`). */
function* inotifyEvents(data: Buffer): Iterable<{ watch: number; name: string }> {
  for (let at = 0; at + 16 <= data.length; ) {
    const length = data.readUInt32LE(at + 12);
    const name = data.toString('utf8', at + 16, at + 16 + length).replace(/\0+$/, '');
    yield { watch: data.readInt32LE(at), name };
    at += 16 + length;
  }
}
