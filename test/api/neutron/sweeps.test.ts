import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSweep, startSweeps } from '../../../src/api/neutron/upstream/sweeps.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { createNeutronClient } from '../../../src/openstack/neutron/client.ts';
import { createUpstream } from '../../../src/openstack/neutron/upstream.ts';
import { eventually } from '../../support/eventually.ts';
import { OTHER_ROUTER, ROUTER } from '../api-under-test.ts';
import type { NeutronStandIn } from './neutron-stand-in.ts';
import {
  forwarding,
  gatewayIdOf,
  INSIDE,
  openUpstreamBench,
  PORT,
  port,
  router,
  send,
  type UpstreamBench,
} from './upstream-under-test.ts';

const LABEL = `${PORT}/${ROUTER}/10.0.0.11`;

let account = { credentials: [], seesAll: true };
let neutron: NeutronStandIn;
let bench: UpstreamBench;

beforeEach(async () => {
  bench = await openUpstreamBench();
  neutron = bench.neutron;
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

describe('sweeps', () => {
  afterEach(() => {
    account = { credentials: [], seesAll: true };
  });

  const told: string[] = [];
  const audited: unknown[] = [];
  const log = {
    info: (...words: readonly unknown[]) => {
      if (words.at(-1) === 'audit') audited.push(words[0]);
      else told.push(`info ${String(words.at(-1))}`);
    },
    warn: (...words: readonly unknown[]) => told.push(`warn ${String(words.at(-1))}`),
  };

  const deps = () => ({
    neutron: createNeutronClient(createUpstream(neutron.url)),
    forwards: bench.registry.forwards,
    owners: { note: () => undefined },
    account: async () => account,
    log,
  });

  /** What the last of so many sweeps says, between which what is given is done. */
  async function swept(times: number, between: () => unknown = () => undefined) {
    const sweep = createSweep(deps());
    let last = await sweep();
    for (let time = 1; time < times; time++) {
      await between();
      last = await sweep();
    }
    return last;
  }

  const without = (...ids: readonly string[]) => {
    neutron.things.ports = neutron.things.ports.filter(({ id }) => !ids.includes(id));
  };

  function start(): () => Promise<void> {
    told.length = 0;
    return startSweeps(deps(), 10);
  }

  beforeEach(async () => {
    await send(bench, 'POST', `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`, forwarding);
    await bench.registry.forwards.create(
      parseForwardSpec({ router: ROUTER, external_port: 5001, internal_address: '10.9.9.9' }),
    );
  });

  const left = () => bench.registry.forwards.list().map(({ externalPorts }) => externalPorts.first);

  test('remove what has lost its port, and nothing that was made for an address', async () => {
    const stop = start();
    await eventually(() => expect(neutron.asked.filter((one) => one === 'GET /v2.0/ports').length).toBeGreaterThan(2));
    expect(left()).toEqual([2222, 5001]);
    neutron.things.ports = neutron.things.ports.filter(({ id }) => id !== PORT);
    await eventually(() => expect(left()).toEqual([5001]));
    await stop();
    expect(told).toEqual(['info removed forwards whose ports Neutron has no more']);
  });

  test.each([
    ['its port', () => without(PORT)],
    ['its port, and its router the interface', () => without(PORT, 'interface')],
    ['its router the interface', () => without('interface')],
    [
      'its port the address',
      () => {
        neutron.things.ports = neutron.things.ports.map((port) =>
          port.id === PORT ? { ...port, fixed_ips: [] } : port,
        );
      },
    ],
    ['its router', () => (neutron.things.routers = [])],
  ])('remove what has lost %s, when two have found it so', async (_what, lose) => {
    const sweep = createSweep(deps());
    await sweep();
    lose();
    expect(await sweep()).toEqual({ removed: 0, hidden: [] });
    expect(await sweep()).toEqual({ removed: 1, hidden: [] });
    expect(left()).toEqual([5001]);
  });

  test('remove a port that was gone at the start, where its router shows its gateway to this account', async () => {
    without(PORT, 'interface');
    neutron.things.ports = [...neutron.things.ports, port('gateway', ROUTER, 'network:router_gateway', 's0')];
    expect(await swept(2)).toEqual({ removed: 1, hidden: [] });
  });

  test('are told in the audit log, forward by forward', async () => {
    audited.length = 0;
    const [made] = bench.registry.forwards.list();
    without(PORT);
    await swept(2);
    const what = { ids: [made?.id], count: 1, router: ROUTER, port: PORT, revision: expect.any(Number) };
    expect(audited).toEqual([{ audit: expect.objectContaining({ caller: 'sweep', operation: 'sweep', ...what }) }]);
  });

  test('remove nothing that was changed, or found again, in between', async () => {
    without(PORT);
    const [made] = bench.registry.forwards.list();
    const rename = () => bench.registry.forwards.update(made?.id ?? '', (spec) => ({ ...spec, description: 'new' }));
    expect(await swept(2, rename)).toEqual({ removed: 0, hidden: [] });
    const comeAndGo = () =>
      (neutron.things.ports = neutron.things.ports.length === 2 ? INSIDE : INSIDE.filter(({ id }) => id !== PORT));
    expect(await swept(5, comeAndGo)).toEqual({ removed: 0, hidden: [] });
    expect(left()).toEqual([2222, 5001]);
  });

  test.each([
    ['a router', () => (neutron.things.routers = [])],
    ['all that a router has', () => (neutron.things.ports = [])],
  ])('remove nothing where they were never shown %s', async (_what, hide) => {
    hide();
    expect(await swept(3)).toEqual({ removed: 0, hidden: [ROUTER] });
    expect(left()).toEqual([2222, 5001]);
  });

  test('remove no forward that was led elsewhere by other means', async () => {
    const [made] = bench.registry.forwards.list();
    const change = { internal_address: '10.9.9.8' };
    await bench.api.inject({ method: 'PATCH', url: `/v1/forwards/${made?.id}`, payload: change });
    const labels = { 'neutron-port': LABEL };
    const moved = { router: OTHER_ROUTER, external_port: 5002, internal_address: '10.0.0.11', labels };
    await bench.registry.forwards.create(parseForwardSpec(moved));
    neutron.things.routers = [...neutron.things.routers, router(OTHER_ROUTER, '192.0.2.2')];
    expect(await swept(3)).toEqual({ removed: 0, hidden: [] });
    expect(left()).toEqual([2222, 5001, 5002]);
  });

  test.each([
    ['its router', () => (neutron.things.routers = [])],
    ['its port, with all that the router has', () => (neutron.things.ports = [])],
    ['the interface of its router', () => without('interface')],
  ])('remove nothing where Neutron may only hide %s', async (_what, hide) => {
    account = { credentials: [], seesAll: false };
    expect(await swept(4, hide)).toEqual({ removed: 0, hidden: [ROUTER] });
    expect(left()).toEqual([2222, 5001]);
  });

  test('say once that something may be hidden', async () => {
    neutron.things.routers = [];
    const stop = start();
    const asked = neutron.asked.length;
    await eventually(() => expect(neutron.asked.length).toBeGreaterThan(asked + 8));
    await stop();
    expect(told).toEqual(['warn Neutron may hide routers, or their ports, from the account of this service']);
  });

  test('remove nothing while Neutron does not answer, say so once, and go on when it does', async () => {
    neutron.things.ports = neutron.things.ports.filter(({ id }) => id !== PORT);
    neutron.answer = { status: 503, body: '' };
    const stop = start();
    await eventually(() => expect(told).toHaveLength(1));
    const asked = neutron.asked.length;
    await eventually(() => expect(neutron.asked.length).toBeGreaterThan(asked + 4));
    expect(left()).toEqual([2222, 5001]);
    neutron.answer = null;
    await eventually(() => expect(left()).toEqual([5001]));
    await stop();
    expect(told.toSorted()).toEqual([
      'info Neutron can be asked for ports again',
      'info removed forwards whose ports Neutron has no more',
      'warn Neutron cannot be asked for ports; forwards stay as they are',
    ]);
  });

  test('ask for routers alone where no forward was made for a port, so that tenants find their own', async () => {
    for (const { id } of bench.registry.forwards.list()) await bench.registry.forwards.remove(id);
    neutron.asked.length = 0;
    const noted: string[] = [];
    const sweep = createSweep({ ...deps(), owners: { note: (...words) => noted.push(words.join(' of ')) } });
    await sweep();
    expect(neutron.asked).toEqual(['GET /v2.0/routers']);
    expect(noted).toEqual([`${ROUTER} of blue`]);
  });
});
