import { closeSync } from 'node:fs';
import { type HatobaError, hatobaError } from '../../model/errors.ts';
import { openNetlink, SystemCallError } from '../libc.ts';
import type { ThreadNamespace } from '../namespaces/thread-namespace.ts';
import { NETLINK_NETFILTER, sendAll } from '../netlink/netlink.ts';
import { readGeneration } from '../netlink/nfnetlink.ts';
import { type NftDriver, type NftDriverName, openNftDriver } from './nft.ts';
import { batchOf } from './nft-batch.ts';
import { type Blueprint, blueprintOf } from './nft-blueprint.ts';
import { withShifts } from './nft-shift.ts';
import { fingerprintOf, readObjects, type TableObjects } from './nft-table.ts';

/** A table as a script for nft that makes it, without elements. */
export interface TableSource {
  /** Of the inet family. */
  readonly name: string;
  readonly script: string;
  /**
   * Maps of the script, from intervals of ports to an address and a port, whose values are to be an address and ports
   * (`10.0.0.1 . 8080-8087`): as many as the key has, 2ⁿ, with a multiple of 2ⁿ first in the key. A port leads to the one
   * that is as far from the first.
   */
  readonly shifting?: readonly string[];
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
 * Has nft make the table, in a namespace that nobody else has, and reads there how this very kernel is told to make it,
 * also with what nft has no words for: from then on nothing needs nft. Whether that gives the same table is tried there,
 * too. Error: `kernel_unsupported`.
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
      return blueprintIn(socket, source);
    } finally {
      closeSync(socket);
    }
  } finally {
    closeSync(namespace);
  }
}

/** Where nft has made the table. */
function blueprintIn(socket: number, { name, shifting = [] }: TableSource): Blueprint {
  const compiled = readObjects(socket, name);
  if (compiled === null) throw hatobaError('kernel_unsupported', { reason: `nft made no table inet ${name}` });
  const blueprint = rehearsed(socket, name, compiled);
  if (shifting.length === 0) return blueprint;
  return rehearsed(socket, name, make(socket, blueprintOf(name, withShifts(compiled, shifting))));
}

function rehearsed(socket: number, name: string, objects: TableObjects): Blueprint {
  const blueprint = blueprintOf(name, objects);
  if (fingerprintOf(make(socket, blueprint)) !== blueprint.fingerprint) throw notMadeAgain('another table');
  return blueprint;
}

/** In place of the one that is there; gives what the kernel tells of it. */
function make(socket: number, blueprint: Blueprint): TableObjects {
  const batch = batchOf({ table: 'replace', remove: [], add: [] }, blueprint);
  const refusal = sendAll(socket, batch.data);
  if (refusal !== undefined) throw notMadeAgain(`${batch.describe(refusal.sequence)}: ${refusal.errno}`);
  const made = readObjects(socket, blueprint.name);
  if (made === null) throw notMadeAgain('no table');
  return made;
}

function notMadeAgain(how: string): HatobaError {
  return hatobaError('kernel_unsupported', { reason: `the kernel does not make again what nft made (${how})` });
}
