import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { run } from './command.ts';
import { eventually } from './eventually.ts';
import type { RunIn } from './kernel-state.ts';

/**
 * What looks like a freshly booted machine: an empty /run that nobody else sees, without /run/netns, and a root
 * network namespace of its own. Disposing removes it with all namespaces that were made in it.
 */
export interface Machine extends AsyncDisposable {
  /** The command line that runs the one behind it on this machine. */
  readonly within: readonly string[];
  /** Where the machine's file is for everybody else. */
  path(file: string): string;
  run(program: string, ...args: readonly string[]): Promise<string>;
  readonly runIn: RunIn;
}

export async function bootMachine(): Promise<Machine> {
  const holder = spawn('unshare', ['--mount', '--net', '--propagation=private', '--', 'sleep', 'infinity'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(holder, 'exit');
  const home = `/proc/${holder.pid}`;
  const within = ['nsenter', `--mount=${home}/ns/mnt`, `--net=${home}/ns/net`, '--'];
  const path = (file: string) => `${home}/root${file}`;
  await eventually(() => expectSleeping(home));
  await runWithin('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  return {
    within,
    path,
    run: runWithin,
    runIn: (namespace, program, args) =>
      run('nsenter', [`--net=${path(`/run/netns/${namespace}`)}`, '--', program, ...args]),
    async [Symbol.asyncDispose]() {
      holder.kill('SIGKILL');
      await exited;
    },
  };

  function runWithin(program: string, ...args: readonly string[]): Promise<string> {
    const [first = '', ...rest] = [...within, program, ...args];
    return run(first, rest);
  }
}

/** From then on it is where it was sent. */
async function expectSleeping(home: string): Promise<void> {
  const command = await readFile(`${home}/comm`, 'utf8');
  if (command !== 'sleep\n') throw new Error('the machine does not start');
}
