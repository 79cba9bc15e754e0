import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './command.ts';
import { eventually } from './eventually.ts';
import { bootMachine, type Machine } from './machine.ts';

/**
 * A machine that systemd has booted, with a root network namespace and a /run of its own, without /run/netns. hatoba is
 * installed on it, and its unit is not started. Disposing removes it.
 */
export interface SystemdMachine extends AsyncDisposable {
  run(program: string, ...args: readonly string[]): Promise<string>;
  /** Writes a file of that machine, in a directory that may not be there yet. */
  write(file: string, text: string): Promise<void>;
}

/** Where its units are. */
export const UNITS = '/run/units';

const CHECKOUT = join(import.meta.dirname, '../..');
const BOOT = join(import.meta.dirname, 'systemd-machine.sh');
const CGROUPS = '/run/cgroup';
/** The shell that joins the cgroup becomes the program behind it. */
const JOIN = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--cgroup', '--uts', '--ipc'];

export async function bootSystemd(): Promise<SystemdMachine> {
  await using stack = new AsyncDisposableStack();
  const machine = stack.use(await bootMachine());
  const cgroup = await createCgroup(machine);
  stack.defer(() => eventually(() => removeCgroup(machine.path(cgroup))));
  const boot = ['sh', '-c', JOIN, cgroup, 'unshare', ...NAMESPACES, BOOT, CHECKOUT];
  const [program = '', ...args] = [...machine.within, ...boot];
  const holder = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(holder, 'exit');
  stack.defer(async () => {
    holder.kill('SIGKILL');
    await exited;
  });
  const first = await eventually(async () => (await run('pgrep', ['--parent', String(holder.pid)])).trim());
  const runWithin: SystemdMachine['run'] = (...command) => run('nsenter', [`--target=${first}`, '--all', ...command]);
  await eventually(() => runWithin('systemctl', 'is-active', 'default.target'));
  const steps = stack.move();
  return {
    run: runWithin,
    async write(file, text) {
      await runWithin('mkdir', '-p', dirname(file));
      await writeFile(`/proc/${first}/root${file}`, text);
    },
    [Symbol.asyncDispose]: () => steps.disposeAsync(),
  };
}

async function createCgroup(machine: Machine): Promise<string> {
  const cgroup = `${CGROUPS}/hatoba-test-${randomUUID()}`;
  await machine.run('mkdir', CGROUPS);
  await machine.run('mount', '-t', 'cgroup2', 'cgroup2', CGROUPS);
  await machine.run('mkdir', cgroup);
  return cgroup;
}

async function removeCgroup(cgroup: string): Promise<void> {
  for (const entry of await readdir(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(cgroup, entry.name));
  }
  await rmdir(cgroup);
}
