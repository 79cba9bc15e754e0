import { closeSync } from 'node:fs';
import { hatobaError } from '../../model/errors.ts';
import { drain, EPOLLIN, openNetlink } from '../libc.ts';
import { messages, NETLINK_NETFILTER, NETLINK_ROUTE, sendAll } from '../netlink/netlink.ts';
import { NFT_TABLE_OWNED } from '../netlink/nf-tables.ts';
import { NFNLGRP_NFTRACE } from '../netlink/nfnetlink.ts';
import { readInterfaceName } from '../netlink/rtnetlink.ts';
import type { Surroundings } from '../surroundings.ts';
import { batchOf } from './nft-batch.ts';
import type { TableSource } from './nft-compile.ts';
import { readTraceMessage, type TraceMessage } from './nft-trace.ts';

/** What a kernel says to flags of a table that it does not know (net/netfilter/nf_tables_api.c). */
const UNKNOWN_FLAG = ['EINVAL', 'EOPNOTSUPP'];

export interface PacketWatch {
  /** Takes the table out. May be called again. */
  close(): void;
}

/**
 * Puts a table of its own into the namespace whose rules say which packets are traced, and hears what the kernel tells of
 * these and of all others that are. The table belongs to a socket, so it is gone with the process, however that ends.
 * Errors: `kernel_refused`, `kernel_unsupported`.
 */
export function openPacketWatch(
  namespace: string,
  fd: number,
  source: TableSource,
  around: Surroundings,
  onMessage: (message: TraceMessage) => void,
): PacketWatch {
  const { thread, compile, watch, unwatch } = around;
  const blueprint = compile(source);
  const opened: number[] = [];
  const open = (protocol: number, groups?: readonly number[]) => {
    const socket = openNetlink(protocol, groups);
    opened.push(socket);
    return socket;
  };
  const closeSockets = () => {
    for (const socket of opened.splice(0)) closeSync(socket);
  };
  try {
    const { owner, told, routes } = thread.inside(fd, () => ({
      owner: open(NETLINK_NETFILTER),
      told: open(NETLINK_NETFILTER, [NFNLGRP_NFTRACE]),
      routes: open(NETLINK_ROUTE),
    }));
    make(owner);
    watch(told, EPOLLIN, () => {
      drain(told, (data) => {
        for (const message of messages(data)) {
          const traced = readTraceMessage(message, (index) => readInterfaceName(routes, index));
          if (traced !== undefined) onMessage(traced);
        }
      });
    });
    return {
      close() {
        if (opened.length === 0) return;
        unwatch(told);
        // Closing the socket would do it, too, but keep this thread waiting until no packet is in the table any more.
        sendAll(owner, batchOf({ table: 'delete', remove: [], add: [] }, blueprint).data);
        closeSockets();
      },
    };
  } catch (error) {
    closeSockets();
    throw error;
  }

  function make(owner: number): void {
    const batch = batchOf({ table: 'create', remove: [], add: [] }, blueprint, NFT_TABLE_OWNED);
    const refusal = sendAll(owner, batch.data);
    if (refusal === undefined) return;
    if (UNKNOWN_FLAG.includes(refusal.errno)) {
      throw hatobaError('kernel_unsupported', {
        reason: 'only Linux 5.12 and newer have tables that belong to a socket',
      });
    }
    throw hatobaError('kernel_refused', { namespace, reason: `${batch.describe(refusal.sequence)}: ${refusal.errno}` });
  }
}
