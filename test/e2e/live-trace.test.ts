import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const HATOBA = fileURLToPath(new URL('../../bin/hatoba', import.meta.url));

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let client: Peer;
let instance: Peer;

beforeAll(async () => {
  network = await createNetwork();
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  home = await openDaemonHome({ neutron: false, routers });
  daemon = await home.start();
  const fields = { router: network.router, name: 'ssh', external_port: 5001, internal_port: 22 };
  await home.client.createForward({ ...fields, internal_address: INSTANCE[4] }, '60');
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
});

beforeEach(() => expectTables(0));

function expectTables(count: number): Promise<void> {
  return eventually(async () => {
    const tables = await runIn(network.router, 'nft', ['list', 'tables']);
    expect(tables.split('hatoba_watch_').length - 1).toBe(count);
  });
}

/** The command, waiting in the router. */
async function startTrace() {
  const flow = ['--from', CLIENT[4], '--to', `${GATEWAY[4]}:5001`];
  const words = ['--socket', home.socket, 'trace', '--live', '--timeout', '30', ...flow];
  const child = spawn(HATOBA, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(([stdout, stderr]) => {
    return { stdout, stderr, exit: child.exitCode };
  });
  await expectTables(1);
  return { child, ended };
}

test('hatoba trace --live tells what the kernel did with the next connection', async () => {
  const { ended } = await startTrace();
  await client.connect(GATEWAY[4], 5001);
  const { stdout, stderr, exit } = await ended;
  expect(exit).toBe(0);
  expect(stderr).toBe(`waiting up to 30 s for a tcp packet from ${CLIENT[4]} to ${GATEWAY[4]}:5001: make one now\n`);
  expect(stdout).toContain(`It left by ${INSIDE} from ${CLIENT[4]}:`);
  expect(stdout).toContain(`It left by ${OUTSIDE} from ${GATEWAY[4]}:5001 to ${CLIENT[4]}:`);
  expect(stdout).toMatch(/\nThe kernel did as compiled: the packet and its answer got through\.\n$/);
});

test('a command that is killed leaves nothing behind', async () => {
  const { child, ended } = await startTrace();
  child.kill('SIGKILL');
  await ended;
  await expectTables(0);
});

test('a daemon that is killed leaves nothing behind', async () => {
  const { ended } = await startTrace();
  await daemon.kill();
  expect((await ended).exit).toBe(6);
  await expectTables(0);
  daemon = await home.start();
});

test('a daemon that is stopped does not keep anybody waiting', async () => {
  const { ended } = await startTrace();
  await daemon.stop();
  expect((await ended).exit).toBe(6);
  await expectTables(0);
});
