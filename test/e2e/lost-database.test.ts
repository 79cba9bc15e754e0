import { copyFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Forward } from '../../src/client/operations.ts';
import { openRegistry } from '../../src/registry/open-registry.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { runIn } from '../support/command.ts';
import { CONFIG, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { elementsIn, rulesetOf } from '../support/kernel-state.ts';
import { createNetwork, INSIDE, INSTANCE, type Network, OUTSIDE, ROUTED } from '../support/network.ts';
import { openNetworkHome } from '../support/network-home.ts';

test('a database that is taken away from a daemon: no change is acknowledged, and everything tells why', async () => {
  await using place = await openNetworkHome();
  const { home, network } = place;
  const database = join(home.directory, 'hatoba.db');
  const daemon = await home.start();
  const add = (port: number) => {
    const fields = { router: network.router, internal_address: INSTANCE[4], internal_port: 22 };
    return home.client.createForward({ ...fields, external_port: port }, '60');
  };
  const hatoba = (...words: readonly string[]) => home.run(...words, '--socket', home.socket);
  const get = (path: string) =>
    runIn(network.router, 'curl', ['--silent', '--unix-socket', home.socket, `http://localhost${path}`]);
  await add(5001);

  renameSync(database, `${database}.old`);
  const refused = { code: 'store_unavailable', status: 503 };
  await expect(add(5002)).rejects.toMatchObject(refused);
  expect(await elementsIn(network.router)).toHaveLength(1);
  expect(JSON.parse(await get('/readyz'))).toMatchObject({ code: 'not_ready', status: 503 });
  expect(await get('/metrics')).toContain('\nhatoba_store_available 0\n');
  expect((await hatoba('status')).stdout).toMatch(/the store .*hatoba\.db was deleted or renamed/);
  const doctor = await hatoba('doctor');
  expect(doctor).toMatchObject({ exit: 1, stdout: expect.stringMatching(/problem +store_unavailable/) });
  expect((await daemon.logged(({ msg }) => msg === 'store unavailable'))['level']).toBe(50);
  expect(daemon.log.filter(({ msg }) => msg === 'store unavailable')).toHaveLength(1);

  renameSync(`${database}.old`, database);
  await add(5002);
  await daemon.logged(({ msg }) => msg === 'store available again');
  expect(await get('/metrics')).toContain('\nhatoba_store_available 1\n');

  truncateSync(database);
  await expect(add(5003)).rejects.toMatchObject(refused);
  expect(JSON.parse((await hatoba('backup')).stdout).forwards).toHaveLength(2);
});

describe.each(['nftables', 'iptables'] as const)(
  'forwards in the kernel that the database does not know (%s)',
  (backend) => {
    let network: Network;
    let home: DaemonHome;
    const hatoba = (...words: readonly string[]) => home.run(...words, '--socket', home.socket);
    const fields = () => ({ router: network.router, internal_address: INSTANCE[4], internal_port: '22' });
    const forwards = async () => (await home.client.listForwards({})).map(({ id }) => id).sort();

    beforeAll(async () => {
      network = await createNetwork();
      const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
      home = await openDaemonHome({ neutron: false, routers, backend });
    });

    afterAll(async () => {
      await home[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
    });

    /** What the kernel has of forwards, whatever the backend; without counters. */
    async function kernel(): Promise<string> {
      if (backend === 'nftables') return rulesetOf(network.router);
      const saved = await runIn(network.router, 'iptables-save', ['-t', 'nat']);
      return saved.replaceAll(/^#.*\n/gm, '').replaceAll(/\[\d+:\d+\]/g, '');
    }

    async function lose(): Promise<void> {
      for (const suffix of ['', '-wal', '.usage']) rmSync(join(home.directory, `hatoba.db${suffix}`), { force: true });
    }

    test('stay, and everything tells; the operator recovers them, and nothing changes in the kernel', async () => {
      const first = await home.start();
      await home.client.createForward({ ...fields(), external_port: '5001', name: 'ssh' }, '5');
      await home.client.createForward({ ...fields(), external_port: '6000-6009', internal_port: '7000-7009' }, '5');
      const sources = ['198.51.100.0/25', '192.0.2.0/24'];
      await home.client.createForward({ ...fields(), external_address: ROUTED[4], external_port: '80', sources }, '5');
      const before = await home.client.listForwards({});
      const right = await kernel();
      await first.stop();
      await lose();

      const daemon = await home.start();
      expect(await kernel()).toBe(right);
      expect(await forwards()).toEqual([]);
      const warned = await daemon.logged(
        ({ msg }) => msg === 'kept forwards in the kernel that the store does not know',
      );
      expect(warned).toMatchObject({ level: 40, forwards: 3, router: network.router });
      expect((await home.client.getStatus()).orphaned).toEqual({ forwards: 3, routers: 1 });
      expect((await hatoba('status')).stdout).toMatch(/orphaned: +3 in 1 router,/);
      expect((await hatoba('doctor')).stdout).toMatch(/problem +forwards_orphaned/);
      expect(await metrics()).toContain('\nhatoba_orphaned_forwards 3\n');

      const twin = await home.client.createForward({ ...fields(), external_port: '5001' }, '5');
      expect(twin.status.state).toBe('active');
      const rival = await home.client.createForward({ ...fields(), external_port: '6005' }, '5');
      expect(rival.status).toMatchObject({ state: 'error', message: expect.stringContaining('orphaned') });
      const beside = await home.client.createForward({ ...fields(), external_port: '5002' }, '5');
      expect(beside.status.state).toBe('active');
      expect((await home.client.getStatus()).orphaned).toEqual({ forwards: 2, routers: 1 });
      const partly = await hatoba('recover', '--dry-run');
      expect(partly).toMatchObject({ exit: 4, stdout: expect.stringMatching(/^\+ .*\n! .*6005|stored/m) });
      for (const { id } of [twin, rival, beside]) await home.client.removeForward(id, '5');

      const dry = await hatoba('recover', '--dry-run');
      expect([dry.exit, await forwards()]).toEqual([0, []]);
      expect(await hatoba('recover')).toMatchObject({ exit: 0, stdout: expect.stringContaining('2 forwards made') });
      const [, range, guarded] = before;
      const recovered = await home.client.listForwards({});
      const known = ({ id, external_address, external_port, internal_port, sources: from }: Forward) => {
        return { id, external_address, external_port, internal_port, sources: [...from].sort() };
      };
      expect(recovered.map(known).sort(byId)).toEqual(
        [range, guarded]
          .flatMap((one) => one ?? [])
          .map(known)
          .sort(byId),
      );
      expect((await home.client.getStatus()).orphaned).toEqual({ forwards: 0, routers: 0 });
      await daemon.stop();

      // Known by now: a later start has nothing to tell.
      await using again = await home.start();
      expect(again.log.some(({ msg }) => String(msg).startsWith('kept'))).toBe(false);
      expect(await forwards()).toEqual(recovered.map(({ id }) => id).sort());
      await again.stop();
    });

    test('are taken out by cleanup, while the daemon runs, and never again by a restart before', async () => {
      await lose();
      const daemon = await home.start();
      expect((await home.client.getStatus()).orphaned.forwards).toBe(2);
      await daemon.kill();
      await using again = await home.start();
      expect((await home.client.getStatus()).orphaned.forwards).toBe(2);
      const { id } = await home.client.createForward({ ...fields(), external_port: '5001' }, '5');
      expect(await home.run('cleanup', '--config', CONFIG)).toMatchObject({
        exit: 0,
        stdout: `2 orphaned forwards were taken out of the kernel in ${network.router}\n`,
      });
      const left = await kernel();
      expect(left).toContain(id);
      expect(left).not.toContain('7000');
      expect(await home.run('cleanup', '--config', CONFIG)).toMatchObject({
        exit: 4,
        stderr: expect.stringContaining('another daemon'),
      });
      await again.stop();
    });

    test('what was removed is taken out by the next start, also where the daemon was killed in between', async () => {
      const daemon = await home.start();
      const kept = await home.client.createForward({ ...fields(), external_port: '5003' }, '5');
      const gone = await home.client.createForward({ ...fields(), external_port: '5004' }, '5');
      await daemon.kill();
      // As if the pass had not come: the store has removed what the kernel still has.
      const store = openSqliteStore(join(home.directory, 'hatoba.db'));
      const registry = await openRegistry(store);
      await registry.forwards.remove(gone.id);
      await registry.stop();
      await store.close();
      expect(await kernel()).toContain(gone.id);
      await using again = await home.start();
      expect(await kernel()).not.toContain(gone.id);
      expect(await kernel()).toContain(kept.id);
      expect((await home.client.getStatus()).orphaned.forwards).toBe(0);
      await again.stop();
    });

    test('a copy from before: what is younger stays', async () => {
      const copied = await home.start();
      await copied.stop();
      copyFileSync(join(home.directory, 'hatoba.db'), join(home.directory, 'copy.db'));
      const daemon = await home.start();
      const young = await home.client.createForward({ ...fields(), external_port: '5005' }, '5');
      await daemon.stop();
      copyFileSync(join(home.directory, 'copy.db'), join(home.directory, 'hatoba.db'));
      await using again = await home.start();
      expect((await home.client.getStatus()).orphaned.forwards).toBe(1);
      expect(await kernel()).toContain(young.id);
      await hatoba('recover');
      expect((await home.client.getForward(young.id)).status.state).toBe('active');
      await again.stop();
    });

    function metrics(): Promise<string> {
      return runIn(network.router, 'curl', ['--silent', '--unix-socket', home.socket, 'http://localhost/metrics']);
    }
  },
);

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
