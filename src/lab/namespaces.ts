import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import { run } from './command.ts';

const DIRECTORY = '/run/netns';

/** NSFS_MAGIC of linux/magic.h: the name has a namespace mounted on it. */
const NSFS = 0x6e736673;

/** What is read of `ip -json address show`. */
const Interfaces = Type.Array(
  Type.Object({
    ifname: Type.String(),
    flags: Type.Array(Type.String()),
    addr_info: Type.Array(Type.Object({ local: Type.Optional(Type.String()), prefixlen: Type.Number() })),
  }),
);

/** An interface as it is at present. */
export interface PresentInterface {
  readonly name: string;
  readonly up: boolean;
  /** CIDR form. */
  readonly addresses: readonly string[];
}

export function namespacePath(name: string): string {
  return join(DIRECTORY, name);
}

/** `absent`; `broken`: the name is there, but no namespace behind it, as after an interrupted `ip netns add`. */
export async function stateOfNamespace(name: string): Promise<'present' | 'absent' | 'broken'> {
  try {
    const { type } = await statfs(namespacePath(name));
    return type === NSFS ? 'present' : 'broken';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'absent';
    throw error;
  }
}

/** Runs a program inside the namespace; the mounts of the machine stay as they are. Error: `command_failed`. */
export function runInside(namespace: string, ...command: readonly string[]): Promise<string> {
  return run('nsenter', ...insideArguments(namespace), ...command);
}

/** The arguments of `nsenter` that stand before the command. */
export function insideArguments(namespace: string): readonly string[] {
  return [`--net=${namespacePath(namespace)}`, '--'];
}

export async function interfacesOf(namespace: string): Promise<readonly PresentInterface[]> {
  const json = await run('ip', '-netns', namespace, '-json', 'address', 'show');
  return Value.Parse(Interfaces, JSON.parse(json)).map((link) => ({
    name: link.ifname,
    up: link.flags.includes('UP'),
    addresses: link.addr_info.map((address) => `${address.local ?? ''}/${address.prefixlen}`),
  }));
}

/** The processes that live in the namespace. */
export async function processesOf(namespace: string): Promise<readonly number[]> {
  const pids = await run('ip', 'netns', 'pids', namespace);
  return pids.split('\n').filter(Boolean).map(Number);
}
