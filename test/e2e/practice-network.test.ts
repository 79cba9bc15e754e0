import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GATEWAY_ADDRESSES, INSTANCE_ADDRESSES, INSTANCE_PORT, ROUTER_ID } from '../../src/lab/topology.ts';
import { openDaemonHome } from '../support/daemon.ts';
import { bootMachine } from '../support/machine.ts';

const HATOBA = fileURLToPath(new URL('../../bin/hatoba', import.meta.url));

test('doctor finds nothing wrong with a forward in the practice network', async () => {
  await using machine = await bootMachine();
  await machine.run(HATOBA, 'lab', 'up');
  try {
    await using home = await openDaemonHome({}, { within: machine.within });
    await home.start();
    const fields = { router: ROUTER_ID, internal_port: INSTANCE_PORT };
    await home.client.createForward(
      { ...fields, name: 'example', external_port: 5001, internal_address: INSTANCE_ADDRESSES[4] },
      '5',
    );
    await home.client.createForward(
      {
        ...fields,
        name: 'six',
        external_address: GATEWAY_ADDRESSES[6],
        external_port: 5001,
        internal_address: INSTANCE_ADDRESSES[6],
      },
      '5',
    );
    for (const forward of ['example', 'six', null]) {
      const { findings } = await home.client.diagnose(forward);
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
      expect(findings.length).toBeGreaterThan(0);
    }
  } finally {
    await machine.run(HATOBA, 'lab', 'down');
  }
}, 180_000);
