import { closeSync } from 'node:fs';
import { hatobaError } from '../../model/errors.ts';
import { openNetlink, SystemCallError } from '../libc.ts';
import type { ThreadNamespace } from '../namespaces/thread-namespace.ts';
import { NETLINK_NETFILTER, sendAll } from '../netlink/netlink.ts';
import { readGeneration } from '../netlink/nfnetlink.ts';
import { type NftDriver, type NftDriverName, openNftDriver } from './nft.ts';
import { batchOf } from './nft-batch.ts';
import { type Blueprint, blueprintOf } from './nft-blueprint.ts';
import { fingerprintOf, readObjects } from './nft-table.ts';

/** A table as a script for nft that makes it, without elements. */
export interface TableSource {
  /** Of the inet family. */
  readonly name: string;
  readonly script: string;
}

interface Wanted {
  readonly table: TableSource;
  readonly driver: NftDriverName | null;
  readonly compiled: boolean;
}

/** What the thread knows of our table before it looks at any namespace. */
export interface Prepared {
  /** Of a table that is not to be made, the name alone: enough to find it and to take it away. */
  readonly blueprint: Blueprint;
  readonly driver: NftDriverName | null;
  readonly hasNftables: boolean;
}

/** The options are those of the kernel (kernel.ts). Error: `kernel_unsupported`. */
export function prepareTable(options: Wanted, thread: ThreadNamespace): Prepared {
  const { table, driver: wanted, compiled } = options;
  if (!compiled) {
    const blueprint: Blueprint = { name: table.name, fingerprint: '', sets: new Map(), objects: [] };
    return { blueprint, driver: null, hasNftables: hasNftables() };
  }
  const driver = openNftDriver(wanted);
  return { blueprint: compileTable(table, driver, thread), driver: driver.name, hasNftables: true };
}

/** A kernel without it has no answer to what every namespace has. */
function hasNftables(): boolean {
  const socket = openNetlink(NETLINK_NETFILTER);
  try {
    readGeneration(socket);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  } finally {
    closeSync(socket);
  }
}

/**
 * Has nft make the table, in a namespace that nobody else has, and reads there how this very kernel is told to make it:
 * from then on nothing needs nft. Whether that gives the same table is tried there, too. Error: `kernel_unsupported`.
 */
export function compileTable(source: TableSource, driver: NftDriver, thread: ThreadNamespace): Blueprint {
  try {
    return compileInside(source, driver, thread);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw hatobaError('kernel_unsupported', { reason: error.message }, { cause: error });
  }
}

function compileInside(source: TableSource, driver: NftDriver, thread: ThreadNamespace): Blueprint {
  const namespace = thread.createAnonymous();
  try {
    const socket = thread.inside(namespace, () => openNetlink(NETLINK_NETFILTER));
    try {
      const refusal = thread.inside(namespace, () => driver.run(namespace, source.script));
      if (refusal !== undefined) throw hatobaError('kernel_unsupported', { reason: refusal });
      const blueprint = read(socket, source.name);
      rehearse(socket, blueprint);
      return blueprint;
    } finally {
      closeSync(socket);
    }
  } finally {
    closeSync(namespace);
  }
}

function read(socket: number, table: string): Blueprint {
  const objects = readObjects(socket, table);
  if (objects === null) throw hatobaError('kernel_unsupported', { reason: `nft made no table inet ${table}` });
  return blueprintOf(table, objects);
}

function rehearse(socket: number, blueprint: Blueprint): void {
  const batch = batchOf({ table: 'replace', remove: [], add: [] }, blueprint);
  const refusal = sendAll(socket, batch.data);
  const made = refusal === undefined ? readObjects(socket, blueprint.name) : null;
  if (made !== null && fingerprintOf(made) === blueprint.fingerprint) return;
  const how = refusal === undefined ? 'another table' : `${batch.describe(refusal.sequence)}: ${refusal.errno}`;
  throw hatobaError('kernel_unsupported', { reason: `the kernel does not make again what nft made (${how})` });
}
