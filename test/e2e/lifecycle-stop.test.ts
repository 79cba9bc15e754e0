import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nft } from '../support/command.ts';
import { CONFIG, type DaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { elementsIn, rulesetOf } from '../support/kernel-state.ts';
import { GATEWAY, INSTANCE, type Network } from '../support/network.ts';
import { type NetworkHome, openNetworkHome } from '../support/network-home.ts';
import type { Peer } from '../support/peer.ts';

/** So many starts are interrupted, at moments spread over this many milliseconds. */
const INTERRUPTIONS = 15;
const START = 700;

let place: NetworkHome;
let network: Network;
let home: DaemonHome;
let client: Peer;
let right: string;

beforeAll(async () => {
  place = await openNetworkHome();
  ({ network, home, client } = place);
  const daemon = await home.start();
  const fields = { router: network.router, internal_port: 22 };
  await home.client.createForward({ ...fields, external_port: 5001, internal_address: INSTANCE[4] }, '60');
  await home.client.createForward({ ...fields, external_port: 5002, internal_address: INSTANCE[6] }, '60');
  right = await rulesetOf(network.router);
  await daemon.stop();
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

/** What `nft monitor` says of the namespace's ruleset; `stop` waits until it has said everything. */
async function watchRuleset(namespace: string): Promise<{ stop(): Promise<string> }> {
  const monitor = spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', 'nft', 'monitor'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(monitor, 'exit');
  let said = '';
  monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const mark = async (name: string) => {
    await nft(namespace, `add table inet ${name}\ndelete table inet ${name}\n`);
    expect(said).toContain(`delete table inet ${name}`);
  };
  await eventually(() => mark('begin'));
  said = '';
  return {
    async stop() {
      await nft(namespace, 'add table inet end\n');
      await eventually(() => expect(said).toMatch(/add table inet end\n# new generation .*\n/));
      monitor.kill();
      await exited;
      await nft(namespace, 'delete table inet end\n');
      return said;
    },
  };
}

describe('at its end', () => {
  test('the forwards stay, and work without it', async () => {
    await using daemon = await home.start();
    expect((await daemon.stop()).exit).toBe(0);
    expect(await rulesetOf(network.router)).toBe(right);
    await client.connect(GATEWAY[4], 5001);
    await client.connect(GATEWAY[6], 5002);
  });

  test('it lets go of its socket and its router', async () => {
    await using daemon = await home.start();
    await daemon.stop();
    expect((await readdir(home.directory)).sort()).toEqual(['hatoba.db', 'hatoba.db.usage', 'hatoba.yaml']);
    await expect(home.client.getStatus()).rejects.toMatchObject({ code: 'daemon_unreachable' });
  });

  test('with --cleanup-on-exit it takes the forwards away, and its successor brings them back', async () => {
    await using daemon = await home.start('--cleanup-on-exit');
    expect(await rulesetOf(network.router)).toBe(right);
    await client.connect(GATEWAY[4], 5001);
    expect((await daemon.stop()).exit).toBe(0);
    expect(await rulesetOf(network.router)).toBe('');
    await expect(client.connect(GATEWAY[4], 5001)).rejects.toThrow('ECONNREFUSED');
    await (await home.start()).stop();
    expect(await rulesetOf(network.router)).toBe(right);
  });

  test('`hatoba cleanup` takes them away after it, and keeps them in the store', async () => {
    expect(await home.run('cleanup', '--config', CONFIG)).toMatchObject({ exit: 0, stderr: '' });
    expect(await rulesetOf(network.router)).toBe('');
    await using _daemon = await home.start();
    expect(await rulesetOf(network.router)).toBe(right);
  });
});

describe('at a start with everything in place', () => {
  test.each(['stopped', 'killed'])('after one that was %s, nothing at all is changed in the kernel', async (how) => {
    await using first = await home.start();
    const watch = await watchRuleset(network.router);
    await (how === 'stopped' ? first.stop() : first.kill());
    await using second = await home.start();
    expect(await watch.stop()).toMatch(/^add table inet end\n# new generation \d+ by process \d+ \(nft\)\n$/);
    expect(second.log.filter(({ corrections }) => corrections !== undefined)).toEqual([]);
  });

  test('the status is what it was', async () => {
    await using first = await home.start();
    const before = await home.client.listForwards({});
    expect(before.map(({ status }) => status.state)).toEqual(['active', 'active']);
    await first.kill();
    await using _second = await home.start();
    const after = await home.client.listForwards({});
    expect(after.map(({ status }) => status.state)).toEqual(['active', 'active']);
    const withoutStatus = after.map((forward, at) => ({ ...forward, status: before[at]?.status }));
    expect(withoutStatus).toEqual(before);
  });
});

describe('a second daemon', () => {
  test('on the same socket is refused', async () => {
    await using _first = await home.start();
    await using second = home.launch('--store', `sqlite:${home.directory}/other.db`);
    const { exit, stderr } = await second.ended;
    expect({ exit, stderr }).toEqual({
      exit: 4,
      stderr: expect.stringContaining('another daemon is already listening'),
    });
    await expectUndisturbed();
  });

  test('on the same database is refused', async () => {
    await using _first = await home.start();
    await using second = home.launch('--socket', `${home.directory}/other.sock`);
    const { exit, stderr } = await second.ended;
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('is in use by another process') });
    await expectUndisturbed();
  });

  async function expectUndisturbed(): Promise<void> {
    expect(await home.client.listForwards({ state: 'active' })).toHaveLength(2);
    expect(await rulesetOf(network.router)).toBe(right);
  }
});

describe('asked to stop while it starts', () => {
  test('it ends soon, leaves nothing behind, and the next one starts as ever', async () => {
    await (await home.start()).stop();
    for (let at = 0; at < INTERRUPTIONS; at++) {
      await nft(network.router, 'flush ruleset\n');
      await using daemon = home.launch();
      await sleep((at * START) / INTERRUPTIONS);
      const { exit, stderr } = await daemon.stop();
      // Before it listens for signals, they end it by themselves.
      expect([0, null]).toContain(exit);
      expect(stderr).toBe('');
      expect((await readdir(home.directory)).filter((name) => name.includes('.sock'))).toEqual([]);
    }
    await using _daemon = await home.start();
    expect(await elementsIn(network.router)).toHaveLength(2);
  });
});
