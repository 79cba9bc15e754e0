import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runIn } from '../support/command.ts';
import { INSTANCE } from '../support/network.ts';
import { type NetworkHome, openNetworkHome } from '../support/network-home.ts';

let place: NetworkHome;
let programs: string;
const path = process.env['PATH'];

beforeAll(async () => {
  place = await openNetworkHome();
  await runIn(place.network.router, 'iptables-nft', ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'RETURN']);
  programs = mkdtempSync(join(tmpdir(), 'hatoba-hanging-'));
  for (const name of ['iptables-nft-save', 'ip6tables-nft-save']) {
    // The child holds the output of the script, in a session of its own.
    writeFileSync(join(programs, name), '#!/bin/sh\nsetsid sleep 100 &\nwait\n');
    chmodSync(join(programs, name), 0o755);
  }
  process.env['PATH'] = `${programs}:${path}`;
});

afterAll(async () => {
  process.env['PATH'] = path;
  await place[Symbol.asyncDispose]();
  rmSync(programs, { recursive: true });
});

test('a program of others that hangs holds up no answer and no stop; the answer says what is not known', async () => {
  const { home, network } = place;
  const daemon = await home.start();
  const fields = { router: network.router, internal_address: INSTANCE[4], internal_port: 22 };
  const { id } = await home.client.createForward({ ...fields, external_port: 5001 }, '5');
  const { status } = await home.client.getForward(id);
  expect(status.warnings).toEqual([expect.stringContaining('could not be read in time')]);
  const doctor = await home.run('doctor', '--socket', home.socket);
  expect(doctor.stdout).toMatch(/rules_unread .*iptables-nft-save: it could not be read in time/);
  // Begun right before the stop.
  const asked = home.client.getForward(id).catch(() => undefined);
  expect((await daemon.stop()).exit).toBe(0);
  await asked;
});
