import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

const FAMILIES = [4, 6] as const;

let network: Network;
let home: DaemonHome;
let client: Peer;
let instance: Peer;
/** Programs in front of the machine's own; where `broken` is there, IPv6 cannot be written. */
let programs: string;
let broken: string;

beforeAll(async () => {
  network = await createNetwork();
  programs = await mkdtemp(join(tmpdir(), 'hatoba-programs-'));
  broken = join(programs, 'broken');
  await writeFile(join(programs, 'ip6tables-restore'), refusingWhere(broken), { mode: 0o755 });
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  const within = ['env', `PATH=${programs}:${process.env['PATH']}`];
  home = await openDaemonHome({ neutron: false, routers, backend: 'iptables' }, { within });
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened?.[Symbol.asyncDispose]();
  if (programs !== undefined) await rm(programs, { recursive: true });
});

function refusingWhere(file: string): string {
  return `#!/bin/sh
if [ -e '${file}' ]; then
  echo 'ip6tables-restore: the table is on fire' >&2
  exit 4
fi
PATH=\${PATH#*:}
exec ip6tables-restore "$@"
`;
}

function forwards(external_port: number) {
  return FAMILIES.map((family) => ({
    name: `web${family}`,
    router: network.router,
    external_port,
    internal_address: INSTANCE[family],
    internal_port: 22,
  }));
}

async function told(): Promise<readonly (readonly [state: string, message: string | null])[]> {
  const list = await home.client.listForwards({});
  return list
    .filter(({ name }) => name?.startsWith('web'))
    .map(({ status }) => [status.state, status.message] as const);
}

test('a change of both families of which the second fails is told, and repaired as soon as that is possible', async () => {
  await home.start();
  const other = { router: network.router, name: 'other', external_port: 6001, internal_port: 22 };
  await home.client.createForward({ ...other, internal_address: INSTANCE[4] }, '60');
  const { id: unrelated } = await client.open(GATEWAY[4], 6001);
  await home.client.apply({ forwards: forwards(5001) }, '60');
  expect(await told()).toEqual(FAMILIES.map(() => ['active', null]));

  await writeFile(broken, '');
  await home.client.apply({ forwards: forwards(5002) }, '60');
  const reason = expect.stringContaining(
    'ip6tables-restore ended with exit code 4: ip6tables-restore: the table is on fire',
  );
  await eventually(async () => expect(await told()).toEqual(FAMILIES.map(() => ['error', reason])));
  // One family is as it is wanted, the other as it was.
  expect(await client.connect(GATEWAY[4], 5002)).toContain(CLIENT[4]);
  await expect(client.connect(GATEWAY[4], 5001)).rejects.toThrow('ECONNREFUSED');
  expect(await client.connect(GATEWAY[6], 5001)).toContain(CLIENT[6]);
  await expect(client.connect(GATEWAY[6], 5002)).rejects.toThrow('ECONNREFUSED');

  await rm(broken);
  await eventually(async () => expect(await told()).toEqual(FAMILIES.map(() => ['active', null])), 40_000);
  for (const family of FAMILIES) {
    expect(await client.connect(GATEWAY[family], 5002)).toContain(CLIENT[family]);
    await expect(client.connect(GATEWAY[family], 5001)).rejects.toThrow('ECONNREFUSED');
  }
  expect(await client.echo(unrelated, 'still here')).toBe('still here');
}, 90_000);
