import { renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runIn } from '../support/command.ts';
import { elementsIn } from '../support/kernel-state.ts';
import { INSTANCE } from '../support/network.ts';
import { openNetworkHome } from '../support/network-home.ts';

test('a database that is taken away from a daemon: no change is acknowledged, and everything tells why', async () => {
  await using place = await openNetworkHome();
  const { home, network } = place;
  const database = join(home.directory, 'hatoba.db');
  const daemon = await home.start();
  const add = (port: number) => {
    const fields = { router: network.router, internal_address: INSTANCE[4], internal_port: 22 };
    return home.client.createForward({ ...fields, external_port: port }, '5');
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
