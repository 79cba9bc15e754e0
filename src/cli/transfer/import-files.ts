import { readdir, stat } from 'node:fs/promises';
import { isRecord } from '../../client/guards.ts';
import { foreignFormOf } from '../../interchange/foreign-forms.ts';
import { isDump } from '../../interchange/iptables-dump.ts';
import { forwardsOfDump, type LeftRule } from '../../interchange/iptables-forwards.ts';
import { type Address, parseAddress } from '../../model/address.ts';
import { HatobaError, hatobaError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import type { Gateways, OutsideAddress } from '../../model/router.ts';
import type { Client } from '../client.ts';
import { absolute, type CliContext } from '../context.ts';
import { readInput } from './input.ts';
import { readWishFile } from './wish-file.ts';

/** One file of forwards, whichever form it has. */
export interface ImportFile {
  readonly file: string;
  /** As the API takes them. */
  readonly forwards: readonly unknown[];
  /** Rules that are taken over, by place. */
  readonly taken: readonly string[];
  readonly left: readonly LeftRule[];
  /** Rules that packets of the forwards no longer come to, once these are there. */
  readonly bypassed: readonly LeftRule[];
  /** What else there is to know about it. */
  readonly notes: readonly string[];
  /** How many rules are Neutron's own. */
  readonly foreign: number;
  /** The error about one of these forwards, with its place in the file; `field` is within that forward. */
  locate(error: HatobaError, index: number, field: string): Promise<unknown>;
}

export interface ImportOptions {
  /** Of all that name none; undefined: a dump's is told by its file name. */
  readonly router: string | undefined;
  readonly followGateway: boolean;
  readonly allAddresses: boolean;
  readonly outside: readonly string[];
}

/** The files themselves, and those in directories, in order. Error: `file_unreadable`. */
export async function expandPaths(context: CliContext, paths: readonly string[]): Promise<readonly string[]> {
  const expanded = await Promise.all(
    paths.map(async (path) => {
      if (path === '-' || !(await isDirectory(context, path))) return [path];
      const entries = await readdir(absolute(context, path), { withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
      return files.map(({ name }) => `${path.replace(/\/+$/, '')}/${name}`).sort();
    }),
  );
  return expanded.flat();
}

export async function readImportFile(
  context: CliContext,
  client: Client,
  file: string,
  options: ImportOptions,
): Promise<ImportFile> {
  const text = await readInput(context, file);
  const reason = foreignFormOf(text, isDump(text));
  if (reason !== null) throw hatobaError('file_malformed', { file, reason });
  return isDump(text) ? readDumpFile(client, file, text, options) : readWishes(file, text, options);
}

async function readDumpFile(client: Client, file: string, text: string, options: ImportOptions): Promise<ImportFile> {
  const router = options.router ?? (await routerOfFile(client, file));
  const { outside, allAddresses, followGateway } = options;
  const gateways = followGateway ? await gatewaysOf(client, router) : {};
  const addresses = followGateway || allAddresses ? await outsideAddressesOf(client, router) : undefined;
  const { taken, left, bypassed, foreign } = forwardsOfDump(text, {
    file,
    router,
    gateways,
    outside,
    allAddresses,
    ...(addresses === undefined ? {} : { addresses }),
  });
  return {
    file,
    forwards: taken.map(({ forward }) => forward),
    taken: taken.flatMap(({ lines }) => lines.map((line) => `${file}:${line}`)),
    left,
    bypassed: bypassed.map(({ line, text: rule, reason }) => ({ line, text: rule, reason })),
    notes: /^\*nat\s*$/m.test(text) ? [] : [`${file}: it has no table nat, where DNAT rules are`],
    foreign,
    locate: async (error, index) => within(`${file}:${taken[index]?.lines.join(',')}`, error),
  };
}

async function readWishes(file: string, text: string, options: ImportOptions): Promise<ImportFile> {
  const wishes = await readWishFile(file, text);
  const fallback = options.router ?? wishes.router;
  return {
    file,
    forwards: wishes.forwards.map((wish) =>
      isRecord(wish) && fallback !== undefined ? { router: fallback, ...wish } : wish,
    ),
    taken: [],
    left: [],
    bypassed: [],
    notes: [],
    foreign: 0,
    locate: (error, index, field) => {
      const { code, message, hint, cause } = error;
      return wishes.locate(new HatobaError(code, message, hint, { field: `forwards.${index}.${field}`, cause }));
    },
  };
}

/**
 * The router whose namespace the file is called after: `qrouter-<uuid>`, with anything behind it, or the name of any
 * namespace that a node has, perhaps with an extension. Error: `file_router_unknown`.
 */
async function routerOfFile(client: Client, file: string): Promise<string> {
  const name = file.slice(file.lastIndexOf('/') + 1);
  const uuid = /^(?:qrouter|snat)-([\da-f-]{36})/.exec(name)?.[1];
  if (uuid !== undefined && isUuid(uuid)) return uuid;
  const parts = name.split('.');
  const names = parts.map((_, index) => parts.slice(0, parts.length - index).join('.'));
  const routers = await client.listRouters();
  const found = names
    .map((each) => routers.find(({ id, nodes }) => id === each || nodes.some((on) => on.instances.includes(each))))
    .find((router) => router !== undefined);
  if (found === undefined) throw hatobaError('file_router_unknown', { file });
  return found.id;
}

/** The addresses that the router has at present; none where no node has it. */
async function gatewaysOf(client: Client, router: string): Promise<Gateways> {
  const found = (await client.listRouters()).find(({ id, nodes }) => {
    return id === router || nodes.some(({ instances }) => instances.includes(router));
  });
  const addresses: readonly Address[] = found?.gateways.map(parseAddress) ?? [];
  return Object.fromEntries(addresses.map((address) => [address.family, address]));
}

/** Codes of errors that say that the daemon's node does not have the router, or does not tell this caller. */
const NOT_HERE: readonly string[] = ['router_elsewhere', 'router_not_found', 'role_missing', 'all_projects_needed'];

/** The addresses on its outside interfaces, where the daemon's own node has the router; else undefined. */
async function outsideAddressesOf(client: Client, router: string): Promise<readonly OutsideAddress[] | undefined> {
  try {
    const { addresses } = await client.adopt({ router, dry_run: true }, '0');
    return addresses.map(({ interface: name, address }) => ({ interface: name, address: parseAddress(address) }));
  } catch (error) {
    if (error instanceof HatobaError && NOT_HERE.includes(error.code)) return undefined;
    throw error;
  }
}

function within(place: string, { code, message, hint, field, cause }: HatobaError): HatobaError {
  return new HatobaError(code, `${place}: ${message}`, hint, { ...(field === undefined ? {} : { field }), cause });
}

async function isDirectory(context: CliContext, path: string): Promise<boolean> {
  try {
    return (await stat(absolute(context, path))).isDirectory();
  } catch {
    // Reading it says what is wrong.
    return false;
  }
}
