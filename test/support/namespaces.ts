import { existsSync, readdirSync } from 'node:fs';
import { run, runIn } from './command.ts';

const DIRECTORY = '/run/netns';
const OURS = /^ht-(\d+)-/;

/** Network namespaces of one test, whose names tell whose they are. Disposing removes them all. */
export interface Namespaces extends AsyncDisposable {
  /** What `name` gives begins so, and nothing else on the machine does. */
  readonly prefix: string;
  /** A full name. */
  name(label: string): string;
  /** Makes a namespace, under a name that `name` gave or any other; it is removed with the rest. */
  add(namespace: string): Promise<void>;
  /** Takes the name away; Linux takes the namespace as soon as nobody holds it. */
  remove(namespace: string): Promise<void>;
}

/** Duplicate address detection would keep every IPv6 address unusable for a second or two. */
const SYSCTLS = [
  'net.ipv6.conf.all.disable_ipv6=0',
  'net.ipv6.conf.default.disable_ipv6=0',
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.default.accept_dad=0',
] as const;

let count = 0;

/** Also removes what test runs that are dead have left. */
export async function createNamespaces(): Promise<Namespaces> {
  for (const name of leftovers()) await removeIfThere(name);
  const prefix = `ht-${process.pid}-${++count}-`;
  const made = new Set<string>();
  return {
    prefix,
    name: (label) => `${prefix}${label}`,
    async add(namespace) {
      made.add(namespace);
      await run('ip', ['netns', 'add', namespace]);
      await runIn(namespace, 'sysctl', ['--quiet', '--write', ...SYSCTLS]);
      await run('ip', ['-netns', namespace, 'link', 'set', 'lo', 'up']);
    },
    remove: removeIfThere,
    async [Symbol.asyncDispose]() {
      for (const namespace of made) await removeIfThere(namespace);
    },
  };
}

function leftovers(): readonly string[] {
  if (!existsSync(DIRECTORY)) return [];
  return readdirSync(DIRECTORY).filter((name) => {
    const pid = OURS.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
}

async function removeIfThere(namespace: string): Promise<void> {
  if (existsSync(`${DIRECTORY}/${namespace}`)) await run('ip', ['netns', 'delete', namespace]);
}
