import { closeSync, openSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { openThreadNamespace } from '../../src/kernel/namespaces/thread-namespace.ts';
import { addressBytes } from './packets.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)');
const sendto = libc.func('int64_t sendto(int fd, const void *d, size_t n, int flags, const void *to, uint32_t length)');
const recv = libc.func('int64_t recv(int fd, _Out_ void *data, size_t length, int flags)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
const nameToIndex = libc.func('uint32_t if_nametoindex(const char *name)');

const AF_INET = 2;
const AF_INET6 = 10;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
/** linux/if_ether.h, in network byte order. */
const ETH_P_ALL = 0x0300;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_DONTWAIT = 0x40;

/** Sends packets of one transport protocol, header and all as they are given; the kernel adds the IP header. */
export interface RawSender extends Disposable {
  send(destination: string, segment: Uint8Array): void;
}

/** Sees every packet of an interface, in both directions, from its IP header on. */
export interface Capture extends Disposable {
  /** The first packet that `wanted` accepts, of those that came since the last call; waits up to 200 ms for each. */
  next<Packet>(wanted: (packet: Buffer) => Packet | undefined): Packet | undefined;
  /** Forgets what came so far. */
  clear(): void;
}

/** `source`: an address of the namespace, from which everything is sent. `protocol`: IANA number. */
export function openRawSender(namespace: string, source: string, protocol: number): RawSender {
  const fd = inside(namespace, () => checked('socket', socket(familyOf(source), SOCK_RAW, protocol)));
  const from = socketAddress(source);
  checked('bind', bind(fd, from, from.length));
  return {
    send(destination, segment) {
      const to = socketAddress(destination);
      checked('sendto', sendto(fd, segment, segment.length, 0, to, to.length));
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

export function openCapture(namespace: string, link: string): Capture {
  const fd = inside(namespace, () => {
    const opened = checked('socket', socket(AF_PACKET, SOCK_DGRAM, ETH_P_ALL));
    const address = Buffer.alloc(20);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16LE(ETH_P_ALL, 2);
    address.writeUInt32LE(Number(nameToIndex(link)), 4);
    checked('bind', bind(opened, address, address.length));
    return opened;
  });
  const patience = Buffer.alloc(16);
  patience.writeBigInt64LE(200_000n, 8);
  checked('setsockopt', setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, patience, patience.length));
  const data = Buffer.alloc(1 << 16);
  const receive = (flags: number) => {
    const length = Number(recv(fd, data, data.length, flags));
    return length < 0 ? undefined : Buffer.from(data.subarray(0, length));
  };
  return {
    next(wanted) {
      for (let packet = receive(0); packet !== undefined; packet = receive(0)) {
        const accepted = wanted(packet);
        if (accepted !== undefined) return accepted;
      }
      return undefined;
    },
    clear() {
      while (receive(MSG_DONTWAIT) !== undefined);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** A socket stays in the namespace that it was opened in; the thread does not. */
function inside<Value>(namespace: string, work: () => Value): Value {
  const thread = openThreadNamespace();
  const fd = openSync(`/run/netns/${namespace}`, 'r');
  try {
    return thread.inside(fd, work);
  } finally {
    closeSync(fd);
    closeSync(thread.home);
  }
}

function socketAddress(text: string): Buffer {
  const address = Buffer.alloc(isIPv4(text) ? 16 : 28);
  address.writeUInt16LE(familyOf(text), 0);
  addressBytes(text).copy(address, isIPv4(text) ? 4 : 8);
  return address;
}

function familyOf(address: string): number {
  return isIPv4(address) ? AF_INET : AF_INET6;
}

function checked(call: string, result: unknown): number {
  const value = Number(result);
  if (value >= 0) return value;
  throw new Error(`${call}: ${getSystemErrorName(-koffi.errno())}`);
}
