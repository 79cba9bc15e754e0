import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackendName } from '../../src/dataplane/linux/backend.ts';
import { type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let client: Peer;
let instance: Peer;
/** Programs in front of the machine's own, which take longer. */
let programs: string;

beforeAll(async () => {
  network = await createNetwork();
  programs = await mkdtemp(join(tmpdir(), 'hatoba-programs-'));
  await writeFile(join(programs, 'iptables-restore'), SLOW, { mode: 0o755 });
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
});

afterAll(async () => {
  for (const opened of [client, instance, network]) await opened?.[Symbol.asyncDispose]();
  if (programs !== undefined) await rm(programs, { recursive: true });
});

const SLOW = `#!/bin/sh
sleep 0.3
PATH=\${PATH#*:}
exec iptables-restore "$@"
`;

describe.each<BackendName>(['nftables', 'iptables'])('by %s', (backend) => {
  let home: DaemonHome;

  beforeAll(async () => {
    const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
    const within = ['env', `PATH=${programs}:${process.env['PATH']}`];
    home = await openDaemonHome({ neutron: false, routers, backend }, { within });
    await home.start();
  });

  afterAll(async () => {
    await home?.run('cleanup', '--config', '{config}');
    await home?.[Symbol.asyncDispose]();
  });

  function create(port: number, wait: string) {
    const fields = { router: network.router, external_port: port, internal_address: INSTANCE[4], internal_port: 22 };
    return home.client.createForward(fields, wait);
  }

  test('who waits for a change is answered while others are made without a pause', async () => {
    let isOver = false;
    const others = async (first: number) => {
      for (let port = first; !isOver; port++) await create(port, '0');
    };
    const churn = Promise.all([others(20_000), others(30_000)]);
    try {
      await create(9_000, '0');
      for (const port of [5001, 5002, 5003]) {
        const { status } = await create(port, '60');
        expect(status.state).toBe('active');
        expect(await client.connect(GATEWAY[4], port)).toContain(CLIENT[4]);
      }
    } finally {
      isOver = true;
      await churn;
    }
  }, 240_000);
});
