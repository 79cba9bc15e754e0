import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import type { Family } from '../model/address.ts';

const libc = koffi.load('libc.so.6');

const calls = {
  setns: libc.func('int setns(int fd, int type)'),
  unshare: libc.func('int unshare(int flags)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  send: libc.func('int64_t send(int fd, const void *data, size_t length, int flags)'),
  recv: libc.func('int64_t recv(int fd, _Out_ void *data, size_t length, int flags)'),
  read: libc.func('int64_t read(int fd, _Out_ void *data, size_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, _Inout_ void *value, _Inout_ uint32_t *length)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request)'),
  fstatfs: libc.func('int fstatfs(int fd, _Out_ void *result)'),
  eventfd: libc.func('int eventfd(uint32_t initial, int flags)'),
  timerfdCreate: libc.func('int timerfd_create(int clock, int flags)'),
  timerfdSettime: libc.func('int timerfd_settime(int fd, int flags, const void *value, void *before)'),
  epollCreate: libc.func('int epoll_create1(int flags)'),
  epollControl: libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)'),
  epollWait: libc.func('int epoll_wait(int epoll, _Out_ void *events, int most, int timeout)'),
  inotifyInit: libc.func('int inotify_init1(int flags)'),
  inotifyAddWatch: libc.func('int inotify_add_watch(int fd, const char *path, uint32_t mask)'),
};

const CLONE_NEWNET = 0x4000_0000;
const CLOEXEC = 0x8_0000;
const NONBLOCK = 0x800;
const AF_NETLINK = 16;
const AF = { 4: 2, 6: 10 } as const;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const CLOCK_REALTIME = 0;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
/** `linux/magic.h` NSFS_MAGIC. */
const NSFS_MAGIC = 0x6e73_6673n;
/** `linux/nsfs.h` */
const NS_GET_NSTYPE = 0xb703;

export const EPOLLIN = 0x001;
export const EPOLLPRI = 0x002;

/** `struct epoll_event` is packed on x86-64 alone (`linux/eventpoll.h` EPOLL_PACKED). */
const EPOLL_EVENT = process.arch === 'x64' ? { size: 12, data: 4 } : { size: 16, data: 8 };
const EPOLL_BATCH = 128;

/** A system call that failed, by its errno name. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly errno: string;

  constructor(call: string, errno: string) {
    super(`${call}: ${errno}`);
    this.errno = errno;
  }
}

function checked(call: string, result: number | bigint): number {
  const value = Number(result);
  if (value >= 0) return value;
  throw new SystemCallError(call, getSystemErrorName(-koffi.errno()));
}

/** Moves the calling thread into the network namespace. */
export function enterNetworkNamespace(fd: number): void {
  checked('setns', calls.setns(fd, CLONE_NEWNET));
}

/** Moves the calling thread into a network namespace of its own, without a name. */
export function unshareNetworkNamespace(): void {
  checked('unshare', calls.unshare(CLONE_NEWNET));
}

/** Whether the open file is a network namespace, whatever its name promises. */
export function isNetworkNamespace(fd: number): boolean {
  const result = Buffer.alloc(256);
  checked('fstatfs', calls.fstatfs(fd, result));
  // Other files, devices above all, could take the same request for something else.
  if (result.readBigInt64LE(0) !== NSFS_MAGIC) return false;
  return checked('ioctl', calls.ioctl(fd, NS_GET_NSTYPE)) === CLONE_NEWNET;
}

/** A netlink socket in the calling thread's network namespace, subscribed to these multicast groups (from 1 to 32). */
export function openNetlink(protocol: number, groups: readonly number[] = []): number {
  const fd = checked('socket', calls.socket(AF_NETLINK, SOCK_RAW | CLOEXEC, protocol));
  // The kernel binds it when it is first used.
  if (groups.length === 0) return fd;
  try {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(
      groups.reduce((mask, group) => mask + 2 ** (group - 1), 0),
      8,
    );
    checked('bind', calls.bind(fd, address, address.length));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** A socket in the calling thread's network namespace, to ask for options. */
export function openInternetSocket(family: Family): number {
  return checked('socket', calls.socket(AF[family], SOCK_DGRAM | CLOEXEC, 0));
}

/** Reads an option of exactly this length; what is in `value` before is the question. */
export function readSocketOption(fd: number, level: number, name: number, value: Buffer): void {
  checked('getsockopt', calls.getsockopt(fd, level, name, value, [value.length]));
}

/** What a socket can hold by default is enough for messages up to this length (net.core.wmem_default). */
const LITTLE = 1 << 16;

/** So that a message of this length can be sent at once. */
export function makeRoomToSend(fd: number, length: number): void {
  if (length <= LITTLE) return;
  const value = Buffer.alloc(4);
  // The kernel doubles what is asked for, and needs some of it for itself.
  value.writeInt32LE(length);
  checked('setsockopt', calls.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, value, value.length));
}

export function send(fd: number, data: Uint8Array): void {
  checked('send', calls.send(fd, data, data.length, 0));
}

/** How many bytes arrived in `into`; waits for them. */
export function receive(fd: number, into: Uint8Array): number {
  for (;;) {
    const length = Number(calls.recv(fd, into, into.length, 0));
    if (length >= 0) return length;
    const errno = getSystemErrorName(-koffi.errno());
    if (errno !== 'EINTR') throw new SystemCallError('recv', errno);
  }
}

/** How many bytes arrived in `into`; `undefined`: nothing is waiting. */
export function receiveNow(fd: number, into: Uint8Array): number | undefined {
  const length = Number(calls.recv(fd, into, into.length, MSG_DONTWAIT));
  if (length >= 0) return length;
  if (koffi.errno() === constants.errno.EAGAIN) return undefined;
  throw new SystemCallError('recv', getSystemErrorName(-koffi.errno()));
}

const datagram = Buffer.allocUnsafe(1 << 18);

/** Reads until nothing is waiting. False: the kernel had to drop some (`man 7 netlink`: ENOBUFS). */
export function drain(fd: number, onData?: (data: Buffer) => void): boolean {
  let complete = true;
  for (;;) {
    try {
      const length = receiveNow(fd, datagram);
      if (length === undefined) return complete;
      onData?.(datagram.subarray(0, length));
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errno !== 'ENOBUFS') throw error;
      complete = false;
    }
  }
}

/** As `receiveNow`, for descriptors that are no sockets and were opened non-blocking. */
export function readNow(fd: number, into: Uint8Array): number | undefined {
  const length = Number(calls.read(fd, into, into.length));
  if (length >= 0) return length;
  if (koffi.errno() === constants.errno.EAGAIN) return undefined;
  throw new SystemCallError('read', getSystemErrorName(-koffi.errno()));
}

/** A counter that other threads raise by writing eight bytes, to wake who waits for it. */
export function openEventCounter(): number {
  return checked('eventfd', calls.eventfd(0, CLOEXEC | NONBLOCK));
}

/** A timer of the machine's real clock, not armed yet. */
export function openClockTimer(): number {
  return checked('timerfd_create', calls.timerfdCreate(CLOCK_REALTIME, CLOEXEC | NONBLOCK));
}

/** Has it expire in so many seconds since 1970, or (default) never; either way it is cancelled when the clock is set. */
export function armClockTimer(timer: number, seconds = 2n ** 63n - 1n): void {
  // struct itimerspec: interval and time, each in seconds and nanoseconds.
  const value = Buffer.alloc(32);
  value.writeBigInt64LE(seconds, 16);
  const result = calls.timerfdSettime(timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, value, null);
  // Armed nonetheless: the clock was set since it was armed before.
  if (Number(result) < 0 && koffi.errno() === constants.errno.ECANCELED) return;
  checked('timerfd_settime', result);
}

export function openInotify(): number {
  return checked('inotify_init1', calls.inotifyInit(CLOEXEC | NONBLOCK));
}

/** The watch's number; `undefined` where the path does not exist. */
export function addInotifyWatch(fd: number, path: string, mask: number): number | undefined {
  const watch = Number(calls.inotifyAddWatch(fd, path, mask));
  if (watch >= 0) return watch;
  const errno = getSystemErrorName(-koffi.errno());
  if (errno === 'ENOENT') return undefined;
  throw new SystemCallError(`inotify_add_watch ${path}`, errno);
}

export interface Poller {
  add(fd: number, events: number): void;
  remove(fd: number): void;
  /** The descriptors that have something; waits for at most so many milliseconds, -1: for ever. */
  wait(timeout: number): readonly number[];
  close(): void;
}

export function openPoller(): Poller {
  const epoll = checked('epoll_create1', calls.epollCreate(CLOEXEC));
  const ready = Buffer.alloc(EPOLL_EVENT.size * EPOLL_BATCH);
  const control = (operation: number, fd: number, events: number) => {
    const event = Buffer.alloc(EPOLL_EVENT.size);
    event.writeUInt32LE(events, 0);
    event.writeInt32LE(fd, EPOLL_EVENT.data);
    checked('epoll_ctl', calls.epollControl(epoll, operation, fd, event));
  };
  return {
    add: (fd, events) => control(EPOLL_CTL_ADD, fd, events),
    remove: (fd) => control(EPOLL_CTL_DEL, fd, 0),
    wait(timeout) {
      const count = Number(calls.epollWait(epoll, ready, EPOLL_BATCH, timeout));
      if (count < 0) {
        const errno = getSystemErrorName(-koffi.errno());
        if (errno === 'EINTR') return [];
        throw new SystemCallError('epoll_wait', errno);
      }
      return Array.from({ length: count }, (_, at) => ready.readInt32LE(at * EPOLL_EVENT.size + EPOLL_EVENT.data));
    },
    close: () => closeSync(epoll),
  };
}
