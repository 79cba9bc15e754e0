import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { TABLE } from '../../src/dataplane/linux/nftables/layout.ts';
import { openNetlink } from '../../src/kernel/libc.ts';
import { openNamespace, type ThreadNamespace } from '../../src/kernel/namespaces/thread-namespace.ts';
import { NETLINK_NETFILTER } from '../../src/kernel/netlink/netlink.ts';
import { readTable } from '../../src/kernel/nft/nft-table.ts';

const GIVE_UP = 2_000;

/** In ms, from `ip netns add` returning to the forward being in the kernel, found out by asking the kernel without a pause. */
export function timeUntilActive(thread: ThreadNamespace, name: string): number {
  execFileSync('ip', ['netns', 'add', name]);
  const started = performance.now();
  const fd = openNamespace(`/run/netns/${name}`);
  if (fd === undefined) throw new Error(`there is no namespace ${name}`);
  const socket = thread.inside(fd, () => openNetlink(NETLINK_NETFILTER));
  try {
    while (!isActive(socket)) {
      if (performance.now() - started > GIVE_UP) throw new Error(`nothing in ${name} after ${GIVE_UP} ms`);
    }
    return performance.now() - started;
  } finally {
    closeSync(socket);
    closeSync(fd);
  }
}

function isActive(socket: number): boolean {
  return readTable(socket, TABLE)?.elements.get('exact4')?.length === 1;
}
