import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { bootMachine, type Machine } from '../support/machine.ts';

const ROUTER = '3c5f9a80-4b7e-4f0c-8a41-2d9e6b1c7f30';
const NAMESPACE = `qrouter-${ROUTER}`;
/** By then everything that is there has been looked at once more. */
const SETTLED = 1_500;

/** Names that no router may have. */
const ODD = ['a b', '"', "'", '\n', '\n{"level":60}', '\t', '\u001b[31m', '\\', 'é', ';reboot', '$(id)', '`id`'];
const ODD_NAMES = ODD.map((name) => `qrouter-${name}`);
const BROKEN_UTF8 = Buffer.concat([Buffer.from('qrouter-'), Buffer.from([0xff, 0xfe])]);
/** Names that a router may have, and that lead to something else than a network namespace. */
const OTHERS = ['plain', 'dangling', 'loop', 'fifo', 'directory', 'mount', 'device', ''].map(
  (name) => `qrouter-${name}`,
);
/** Names that are none of ours, whatever is behind them. */
const STRANGERS = ['..x', '...', '-x', '--help', 'a b', 'host', 'plain', 'x"', 'Qrouter-x', '\n'];

async function makeHostile(machine: Machine): Promise<void> {
  const inside = (name: string) => machine.path(`/run/netns/${name}`);
  await mkdir(inside(''), { recursive: true });
  for (const name of [...ODD_NAMES, ...STRANGERS, 'qrouter-plain', 'qrouter-']) await writeFile(inside(name), 'x');
  await writeFile(Buffer.concat([Buffer.from(inside('')), BROKEN_UTF8]), 'x');
  await symlink('/nowhere', inside('qrouter-dangling'));
  await symlink('qrouter-loop', inside('qrouter-loop'));
  // The daemon's own, which it can open, as it could that of the first process on most machines.
  await symlink('/proc/self/ns/mnt', inside('qrouter-mount'));
  await symlink('/dev/zero', inside('qrouter-device'));
  await mkdir(inside('qrouter-directory'));
  await machine.run('mkfifo', '/run/netns/qrouter-fifo');
}

async function makeRouter(machine: Machine): Promise<void> {
  await machine.run('ip', 'netns', 'add', NAMESPACE);
  await machine.runIn(NAMESPACE, 'ip', ['link', 'add', 'qg-1', 'type', 'veth', 'peer', 'name', 'far']);
  await machine.runIn(NAMESPACE, 'ip', ['address', 'add', '192.0.2.1/24', 'dev', 'qg-1']);
}

async function expectRouterWorks({ client }: DaemonHome, machine: Machine): Promise<void> {
  await eventually(async () => {
    const routers = (await client.listRouters()).map(({ id, gateways }) => ({ id, gateways }));
    expect(routers).toEqual([{ id: ROUTER, gateways: ['192.0.2.1'] }]);
  });
  const fields = { router: ROUTER, external_port: 5001, internal_address: '10.20.0.11', internal_port: 22 };
  const forward = await client.createForward(fields, '60');
  expect(forward.status.state).toBe('active');
  const element = `192.0.2.1 . 6 . 5001 : 10.20.0.11 . 22 (${forward.id})`;
  expect(await elementsIn(NAMESPACE, machine.runIn)).toEqual([element]);
}

/** What it has warned of, in order. */
function warnings({ log }: Daemon): readonly string[] {
  return log
    .filter(({ level }) => Number(level) >= 40)
    .map(({ name, namespace, msg }) => String(name ?? namespace ?? msg))
    .sort();
}

describe.each([
  ['Neutron’s patterns', {}, [...ODD_NAMES, ...OTHERS, 'qrouter-\ufffd\ufffd']],
  [
    'a pattern that takes everything',
    { neutron: false, routers: [{ namespace: '*', outside: ['qg-'], inside: ['qr-'] }] },
    [...ODD_NAMES, ...OTHERS, ...STRANGERS, 'qrouter-\ufffd\ufffd'],
  ],
])('with %s', (_, settings, expected) => {
  test.each(['before', 'after'])(
    'whatever lies in the directory %s the start is ignored with one warning',
    async (time) => {
      await using machine = await bootMachine();
      await using home = await openDaemonHome(settings, machine);
      if (time === 'before') await makeHostile(machine);
      const daemon = await home.start();
      if (time === 'after') await makeHostile(machine);
      await makeRouter(machine);
      await eventually(() => expect(warnings(daemon)).toEqual([...expected].sort()));
      await expectRouterWorks(home, machine);
      // Nor is it told again when more is looked at.
      await machine.run('ip', 'netns', 'add', 'another');
      await machine.run('ip', 'netns', 'delete', 'another');
      await sleep(SETTLED);
      expect(warnings(daemon)).toEqual([...expected].sort());
      expect((await home.client.listRouters()).map(({ id }) => id)).toEqual([ROUTER]);
    },
  );
});

test('a name that led nowhere can become a router', async () => {
  await using machine = await bootMachine();
  await using home = await openDaemonHome({}, machine);
  await makeHostile(machine);
  const daemon = await home.start();
  await eventually(() => expect(warnings(daemon)).toContain('qrouter-plain'));
  await rm(machine.path('/run/netns/qrouter-plain'));
  await machine.run('ip', 'netns', 'add', 'qrouter-plain');
  await eventually(async () =>
    expect((await home.client.listRouters()).map(({ id }) => id)).toEqual(['qrouter-plain']),
  );
});
