import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Diagnosis, type ForwardCreate, isDiagnosis } from '../../src/client/operations.ts';
import { ip, nft, runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let instance: Peer;
let client: Peer;
let router: string;

beforeAll(async () => {
  network = await createNetwork();
  router = network.router;
  home = await openDaemonHome({ neutron: false, routers: [{ namespace: router, outside: ['qg-'], inside: ['qr-'] }] });
  instance = await openPeer(network.instance);
  client = await openPeer(network.client);
  await instance.serveTcp(22);
  await ip(router, `route add default via ${CLIENT[4]}`, `route add default via ${CLIENT[6]}`);
  daemon = await home.start();
  await add({ name: 'ssh', external_port: 5001, internal_port: 22 });
  await add({ name: 'ssh6', external_port: 5001, internal_address: INSTANCE[6], internal_port: 22 });
  await add({ name: 'dns', protocol: 'udp', external_port: 53 });
  await add({ name: 'closed', external_port: 5002, internal_port: 23 });
  await add({ name: 'ghost', external_port: 5003, internal_address: '10.20.0.99' });
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  for (const opened of [instance, client, home, network]) await opened?.[Symbol.asyncDispose]();
});

async function add(fields: Partial<ForwardCreate> & Pick<ForwardCreate, 'external_port'>): Promise<void> {
  const forward = await home.client.createForward({ router, internal_address: INSTANCE[4], ...fields }, '60');
  expect(forward.status.state).toBe('active');
}

interface Said {
  readonly exit: number | null;
  readonly document: Diagnosis;
  /** By code: what was seen. */
  readonly seen: Readonly<Record<string, string>>;
  /** Codes that are not ok. */
  readonly wrong: readonly string[];
}

async function doctor(...words: readonly string[]): Promise<Said> {
  const { exit, stdout, stderr } = await home.run('doctor', ...words, '-o', 'json', '--socket', home.socket);
  expect(stderr).toBe('');
  const document: unknown = JSON.parse(stdout);
  if (!isDiagnosis(document)) throw new Error(`no diagnosis: ${stdout}`);
  const { findings } = document;
  return {
    exit,
    document,
    seen: Object.fromEntries(findings.map(({ code, seen }) => [code, seen])),
    wrong: findings.filter(({ level }) => level !== 'ok').map(({ code }) => code),
  };
}

/** What is wrong in between, and that it is not before and after. */
async function meanwhile(spoil: () => Promise<unknown>, mend: () => Promise<unknown>, forward = 'ssh'): Promise<Said> {
  expect((await doctor(forward)).wrong).toEqual([]);
  await spoil();
  try {
    return await doctor(forward);
  } finally {
    await mend();
  }
}

const sysctl = (setting: string) => runIn(router, 'sysctl', ['--quiet', '--write', setting]);

test('a forward that works', async () => {
  await client.connect(GATEWAY[4], 5001);
  const { exit, document, seen, wrong } = await doctor('ssh');
  expect({ exit, wrong }).toEqual({ exit: 0, wrong: [] });
  expect(document).toMatchObject({ node: 'n1', routers: 1, forwards: 1, problems: 0, warnings: 0 });
  expect(seen).toEqual({
    capabilities_present: 'the daemon has the rights that it needs',
    driver_library: 'the table was made by the library libnftables',
    forward_active: 'the forward is active',
    forwarding_on: 'IPv4 packets are forwarded',
    gateway_present: `the IPv4 gateway is ${GATEWAY[4]}, on ${OUTSIDE}`,
    conntrack_roomy: expect.stringMatching(/^connection tracking has \d+ of \d+ entries$/),
    rule_present: 'it is in the kernel, and has translated 1 connection',
    address_present: `the router has the address ${GATEWAY[4]} itself`,
    route_present: `packets to ${INSTANCE[4]} leave by ${INSIDE}`,
    neighbour_present: expect.stringContaining(`${INSTANCE[4]} is a neighbour, in state `),
    target_answers: `${INSTANCE[4]}:22 accepts connections from the router`,
    reply_route_present: `answers to clients such as 192.0.2.1 leave by ${OUTSIDE}, through ${CLIENT[4]}`,
    firewall_passed: 'none of 0 chains of others stops its packets',
  });
});

test('one by IPv6, and one by UDP, whose port cannot be asked', async () => {
  const { wrong, seen } = await doctor('ssh6');
  expect(wrong).toEqual([]);
  expect(seen).toMatchObject({
    route_present: `packets to ${INSTANCE[6]} leave by ${INSIDE}`,
    target_answers: `[${INSTANCE[6]}]:22 accepts connections from the router`,
    reply_route_present: `answers to clients such as 2001:db8::1 leave by ${OUTSIDE}, through ${CLIENT[6]}`,
  });
  const udp = await doctor('dns');
  expect(udp.wrong).toEqual([]);
  expect(udp.seen['target_untold']).toBe(`whether ${INSTANCE[4]}:53 answers cannot be told for udp from here`);
});

test('asking changes nothing, and leaves no connection in the forward', async () => {
  const portrait = async () => {
    const shown = await Promise.all([
      runIn(router, 'nft', ['list', 'ruleset']),
      runIn(router, 'ip', ['address']),
      runIn(router, 'ip', ['route', 'show', 'table', 'all']),
      runIn(router, 'sysctl', ['--all', '--pattern', 'forward|rp_filter']),
    ]);
    return shown.join('\n');
  };
  const before = await portrait();
  await doctor('ssh');
  await doctor();
  expect(await portrait()).toBe(before);
});

describe('what is wrong is named', () => {
  test('forwarding is off', async () => {
    const { wrong, seen, exit } = await meanwhile(
      () => sysctl('net.ipv4.ip_forward=0'),
      () => sysctl('net.ipv4.ip_forward=1'),
    );
    expect({ wrong, exit }).toEqual({ wrong: ['forwarding_off'], exit: 1 });
    expect(seen['forwarding_off']).toBe('IPv4 packets are not forwarded (net.ipv4.ip_forward=0)');
  });

  test('the target refuses, or is not there', async () => {
    expect((await doctor('closed')).wrong).toEqual(['target_refuses']);
    const { wrong, seen } = await doctor('ghost');
    expect(wrong).toEqual(['neighbour_failed', 'target_unreachable']);
    expect(seen['target_unreachable']).toBe('10.20.0.99:5003 cannot be reached from the router: EHOSTUNREACH');
  });

  test('the target is silent', async () => {
    const { wrong } = await meanwhile(
      () =>
        nft(
          network.instance,
          'add table ip deaf; add chain ip deaf in { type filter hook input priority 0; }; add rule ip deaf in tcp dport 22 drop',
        ),
      () => nft(network.instance, 'delete table ip deaf'),
    );
    expect(wrong).toEqual(['target_silent']);
  });

  test('there is no way to the target, or a strange one', async () => {
    const gone = await meanwhile(
      () => ip(router, `route add unreachable ${INSTANCE[4]}/32`),
      () => ip(router, `route delete unreachable ${INSTANCE[4]}/32`),
    );
    expect(gone.wrong).toContain('route_missing');
    const strange = await meanwhile(
      () => ip(router, `route add ${INSTANCE[4]}/32 via ${CLIENT[4]}`),
      () => ip(router, `route delete ${INSTANCE[4]}/32 via ${CLIENT[4]}`),
    );
    expect(strange.wrong).toContain('route_outside');
  });

  test('answers have no way, another one, or one for which packets are dropped', async () => {
    const none = await meanwhile(
      () => ip(router, 'route delete default'),
      () => ip(router, `route add default via ${CLIENT[4]}`),
    );
    expect(none.wrong).toEqual(['reply_route_missing']);
    const turn = () => ip(router, `route replace default via ${INSTANCE[4]}`);
    const turnBack = () => ip(router, `route replace default via ${CLIENT[4]}`);
    const astray = await meanwhile(turn, turnBack);
    expect(astray.wrong).toEqual(['reply_route_astray']);
    expect(astray.seen['reply_route_astray']).toContain(`leave by ${INSIDE}, through ${INSTANCE[4]}`);
    await sysctl(`net.ipv4.conf.${OUTSIDE}.rp_filter=1`);
    const filtered = await meanwhile(turn, turnBack);
    await sysctl(`net.ipv4.conf.${OUTSIDE}.rp_filter=0`);
    expect(filtered.wrong).toEqual(['reverse_path_filtered']);
  });

  test('the gateway address is gone', async () => {
    const { wrong } = await meanwhile(
      async () => {
        await ip(router, `address delete ${GATEWAY[4]}/24 dev ${OUTSIDE}`);
        await expect.poll(async () => (await home.client.getForward('ssh')).status.state).toBe('pending');
      },
      async () => {
        await ip(router, `address add ${GATEWAY[4]}/24 dev ${OUTSIDE}`, `route add default via ${CLIENT[4]}`);
        await expect.poll(async () => (await home.client.getForward('ssh')).status.state).toBe('active');
      },
    );
    expect(wrong).toEqual(['forward_inactive', 'gateway_missing']);
  });

  test('an interface does not forward', async () => {
    const setting = `net.ipv4.conf.${OUTSIDE}.forwarding`;
    const { wrong } = await meanwhile(
      () => sysctl(`${setting}=0`),
      () => sysctl(`${setting}=1`),
    );
    expect(wrong).toEqual(['arrival_refused']);
  });

  test('it is disabled, and no node has its router', async () => {
    await home.client.createForward(
      { router, name: 'off', external_port: 5009, internal_address: INSTANCE[4], enabled: false },
      '5',
    );
    expect((await doctor('off')).wrong).toEqual(['forward_disabled']);
    await home.client.createForward(
      { router: 'elsewhere', name: 'far', external_port: 5009, internal_address: INSTANCE[4] },
      '0',
    );
    expect((await doctor('far')).wrong).toEqual(['router_absent']);
    for (const name of ['off', 'far']) await home.client.removeForward(name, '60');
  });
});

test('the node and its routers: only what is wrong', async () => {
  const well = await doctor();
  expect(well).toMatchObject({ exit: 0, wrong: [] });
  expect(well.document).toMatchObject({ routers: 1, forwards: 5, problems: 0 });
  await sysctl('net.ipv6.conf.all.forwarding=0');
  const { exit, wrong } = await doctor('--router', router);
  await sysctl('net.ipv6.conf.all.forwarding=1');
  expect({ exit, wrong }).toEqual({ exit: 1, wrong: ['forwarding_off'] });
  const { stdout } = await home.run('doctor', '--socket', home.socket);
  expect(stdout).toMatch(/^LEVEL +CODE +WHERE +SEEN\nok +capabilities_present /);
  expect(stdout).toMatch(/\n0 problems and 0 warnings; looked at 1 router with 5 forwards on node n1\.\n$/);
});
