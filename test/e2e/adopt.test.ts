import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConfigFile } from '../../src/daemon/config-schema.ts';
import { nft, runIn } from '../support/command.ts';
import { type Daemon, type DaemonHome, type Ending, openDaemonHome } from '../support/daemon.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, INSTANCE_TOO, type Network, ROUTED } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

let network: Network;
let client: Peer;
let instance: Peer;
let home: DaemonHome;
let daemon: Daemon;

beforeAll(async () => {
  network = await createNetwork();
  client = await openPeer(network.client);
  instance = await openPeer(network.instance);
  await instance.serveTcp(80);
  await instance.serveUdp(53, INSTANCE[4]);
});

afterAll(async () => {
  for (const opened of [client, instance, network]) await opened?.[Symbol.asyncDispose]();
});

beforeEach(() => open());

afterEach(async () => {
  await close();
  for (const program of ['iptables', 'ip6tables']) {
    await runIn(network.router, `${program}-legacy-restore`, [], '*nat\nCOMMIT\n*raw\nCOMMIT\n');
  }
  await nft(network.router, 'flush ruleset');
});

async function open(backend: ConfigFile['backend'] = 'nftables'): Promise<void> {
  const routers = [{ namespace: network.router, outside: ['qg-'], inside: ['qr-'] }];
  home = await openDaemonHome({ neutron: false, routers, backend });
  daemon = await home.start();
}

async function close(): Promise<void> {
  await daemon.stop();
  await home.run('cleanup', '--config', `${home.directory}/hatoba.yaml`);
  await home[Symbol.asyncDispose]();
}

function adopt(...words: readonly string[]): Promise<Ending> {
  return home.run('adopt', '--socket', home.socket, '--router', network.router, ...words);
}

async function saved(program: string): Promise<string> {
  return (await runIn(network.router, `${program}-save`, ['-t', 'nat'])).replaceAll(/^(?!-A).*\n/gm, '');
}

async function flows(): Promise<readonly string[]> {
  const text = await runIn(network.router, 'conntrack', ['-L', '-o', 'id']);
  return Array.from(text.matchAll(/^(?:tcp|udp) .* dport=(?:8080|5353) .*id=(\d+)$/gm), ([, id = '']) => id).sort();
}

const DOCKER = '-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.17.0.2:80';
const BY_INTERFACE = `-A PREROUTING -d ${GATEWAY[4]}/32 -i qg-+ -p tcp -m tcp --dport 8181 -j DNAT --to-destination ${INSTANCE[4]}:80`;
const TAKEN = [
  `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport 8080 -m comment --comment "the \\"web\\" page" -j DNAT --to-destination ${INSTANCE[4]}:80`,
  `-A PREROUTING -d ${GATEWAY[4]}/32 -p udp -m udp --dport 5353 -j DNAT --to-destination ${INSTANCE[4]}:53`,
  `-A mine -p tcp -m multiport --dports 81,90:92 -j DNAT --to-destination ${INSTANCE_TOO[4]}`,
];

/** What somebody may have made by hand, beside what programs make. */
const RULES = `*nat
:mine - [0:0]
:DOCKER - [0:0]
:neutron-l3-agent-PREROUTING - [0:0]
-A PREROUTING -j neutron-l3-agent-PREROUTING
${TAKEN[0]}
${TAKEN[1]}
${BY_INTERFACE}
-A PREROUTING -d ${ROUTED[4]}/32 -j mine
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
${TAKEN[2]}
${DOCKER}
-A neutron-l3-agent-PREROUTING -d 198.51.100.77/32 -j DNAT --to-destination 10.20.0.77
COMMIT
`;
const KEPT = RULES.split('\n').filter((line) => line.startsWith('-A') && !TAKEN.includes(line));

describe.each(['iptables-nft', 'iptables-legacy'])('rules of %s', (program) => {
  beforeEach(async () => {
    await runIn(network.router, `${program}-restore`, [], RULES);
  });

  test('are shown, and stay as they are where nobody says yes', async () => {
    const before = await saved(program);
    const { exit, stdout, stderr } = await adopt();
    expect(stdout).toBe(
      [
        `+ ${network.router} ${GATEWAY[4]}:8080/tcp -> ${INSTANCE[4]}:80`,
        `+ ${network.router} ${GATEWAY[4]}:5353/udp -> ${INSTANCE[4]}:53`,
        `+ ${network.router} ${ROUTED[4]}:81/tcp -> ${INSTANCE_TOO[4]}:81`,
        `+ ${network.router} ${ROUTED[4]}:90-92/tcp -> ${INSTANCE_TOO[4]}:90-92`,
        ...TAKEN.map((rule) => `- ${network.router}: ${program}: ${rule}`),
        `! ${network.router}: ${program}: it is for packets by certain interfaces (-i qg-+), a forward for all`,
        `    ${BY_INTERFACE}`,
        '1 rule is of Docker, and stays with it',
        '1 rule is of Neutron, and stays with it',
        '4 forwards to make, 3 rules to remove, 1 not taken over',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('nothing was changed; --yes carries it out');
    expect(stderr).toContain('1 of 4 DNAT rules stay as they are');
    expect(exit).toBe(1);
    expect(await saved(program)).toBe(before);
    expect(await home.client.listForwards({})).toEqual([]);
  });

  test('become forwards, and go, while connections old and new go on', async () => {
    const tcp = await client.open(GATEWAY[4], 8080);
    const asked = await client.ask(GATEWAY[4], 5353, { localPort: 40_053 });
    const before = await flows();
    expect(before).toHaveLength(2);

    let connections = 0;
    let adopting = true;
    const connecting = (async () => {
      for (; adopting; connections++) expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
    })();
    const { exit, stdout } = await adopt('--yes');
    adopting = false;
    await connecting;

    expect(stdout).toMatch(/^4 forwards made, 3 rules removed after/m);
    expect(exit).toBe(1);
    expect((await saved(program)).trim().split('\n').toSorted()).toEqual(KEPT.toSorted());
    const forwards = await home.client.listForwards({ state: 'active' });
    expect(forwards.map(({ description }) => description)).toContain('the "web" page');
    expect(forwards).toHaveLength(4);

    expect(await client.echo(tcp.id, 'still here')).toBe('still here');
    expect(await client.ask(GATEWAY[4], 5353, { localPort: 40_053 })).toBe(asked);
    const after = await flows();
    for (const id of before) expect(after).toContain(id);
    expect(connections).toBeGreaterThan(5);
    expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
    await expect(client.connect(GATEWAY[4], 8181)).resolves.toContain(CLIENT[4]);
    await client.close(tcp.id);
  });

  test('for the outside interface are taken over where that is asked for, and what is there already is not made twice', async () => {
    await adopt('--yes');
    const { exit, stdout } = await adopt('--yes', '--outside', 'qg-', '--follow-gateway');
    expect(exit).toBe(0);
    expect(stdout).toContain(`+ ${network.router} gateway:8181/tcp -> ${INSTANCE[4]}:80`);
    expect(stdout).toContain('1 forward made, 1 rule removed');
    await runIn(network.router, program, ['-t', 'nat', ...(TAKEN[1] ?? '').split(' ')]);
    const again = await adopt('--yes');
    expect(again.stdout).toContain('0 forwards made, 1 rule removed');
    expect(again.exit).toBe(0);
    expect((await adopt('--yes')).stdout).toContain('0 forwards to make, 0 rules to remove, 0 not taken over');
  });
});

test('a rule that would leave packets unmarked stays, and one that only reports them is named', async () => {
  const marked = [
    `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x1/0xffffffff`,
    `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination ${INSTANCE[4]}:80`,
  ];
  const logged = [
    '-A PREROUTING -p tcp -m tcp --dport 8181 -j LOG',
    `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport 8181 -j DNAT --to-destination ${INSTANCE[4]}:80`,
  ];
  await runIn(network.router, 'iptables-nft-restore', [], ['*nat', ...marked, ...logged, 'COMMIT', ''].join('\n'));
  const { exit, stdout } = await adopt('--yes');
  expect(exit).toBe(1);
  expect(stdout).toContain(`the rule ${marked[0]} does something to its packets (MARK)`);
  expect(stdout).toContain(`no longer come to it, since forwards come first\n    ${logged[0]}\n`);
  expect(stdout).toContain('1 forward made, 1 rule removed');
  expect((await saved('iptables-nft')).trim().split('\n')).toEqual([...marked, logged[0]]);
  expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
  expect(await client.connect(GATEWAY[4], 8181)).toContain(CLIENT[4]);
});

test('a rule of the outside interface without an address goes, where the user says so', async () => {
  const rule = `-A PREROUTING -i qg-+ -p tcp -m state --state NEW -m tcp --dport 8080 -j DNAT --to-destination ${INSTANCE[4]}:80`;
  await runIn(network.router, 'iptables-nft-restore', [], `*nat\n${rule}\nCOMMIT\n`);
  expect((await adopt('--yes', '--outside', 'qg-')).stdout).toContain('--follow-gateway makes it one');
  const { exit, stdout } = await adopt('--yes', '--outside', 'qg-', '--follow-gateway', '--all-addresses');
  expect(stdout).toContain(`+ ${network.router} gateway:8080/tcp -> ${INSTANCE[4]}:80`);
  expect(stdout).toContain('1 rule removed');
  expect(exit).toBe(0);
  expect(await saved('iptables-nft')).toBe('');
  expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
});

test('IPv6, and both programs at once', async () => {
  const rule = `-A PREROUTING -d ${GATEWAY[6]}/128 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [${INSTANCE[6]}]:80`;
  for (const program of ['ip6tables-nft', 'ip6tables-legacy']) {
    await runIn(network.router, `${program}-restore`, [], `*nat\n${rule}\nCOMMIT\n`);
  }
  const { id } = await client.open(GATEWAY[6], 8080);
  const { exit, stdout } = await adopt('--yes');
  expect(stdout).toContain('1 forward made, 2 rules removed');
  expect(exit).toBe(0);
  expect((await saved('ip6tables-nft')) + (await saved('ip6tables-legacy'))).not.toContain('DNAT');
  expect(await client.echo(id, 'on')).toBe('on');
  expect(await client.connect(GATEWAY[6], 8080)).toContain(CLIENT[6]);
});

test('rules that two programs have for the same packets stay, since it cannot be told whose come first', async () => {
  const rule = (to: string) =>
    `*nat\n-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp --dport 8080 -j DNAT --to-destination ${to}\nCOMMIT\n`;
  await runIn(network.router, 'iptables-nft-restore', [], rule(INSTANCE[4]));
  await runIn(network.router, 'iptables-legacy-restore', [], rule(INSTANCE_TOO[4]));
  const { exit, stdout } = await adopt('--yes');
  expect(exit).toBe(1);
  expect(stdout).toContain('0 forwards to make, 0 rules to remove, 2 not taken over');
  expect(stdout).toContain('it cannot be told which packets it has left by a rule of iptables-legacy');
});

test('rules made with nft are named, and so is a table that iptables cannot print for them', async () => {
  await runIn(network.router, 'iptables-nft-restore', [], `*nat\n${TAKEN[1]}\nCOMMIT\n`);
  await nft(
    network.router,
    `table inet own { chain pre { type nat hook prerouting priority -90; tcp dport 70 dnat ip to 10.20.0.11:71; }; }
     add rule ip nat PREROUTING ip daddr ${GATEWAY[4]} tcp dport 81 counter dnat to ${INSTANCE[4]}:81`,
  );
  const before = await runIn(network.router, 'nft', ['list', 'ruleset']);
  const { exit, stdout } = await adopt('--yes');
  expect(exit).toBe(1);
  expect(stdout).toContain(
    [
      `! ${network.router}: nft: there are rules of nft in its table, so that iptables cannot print it exactly`,
      `    ip nat PREROUTING ip daddr ${GATEWAY[4]} udp dport 5353 counter dnat to ${INSTANCE[4]}:53`,
      `! ${network.router}: nft: it was made with nft, and only rules of iptables are taken over`,
      `    ip nat PREROUTING ip daddr ${GATEWAY[4]} tcp dport 81 counter dnat to ${INSTANCE[4]}:81`,
      `! ${network.router}: nft: it was made with nft, and only rules of iptables are taken over`,
      '    inet own pre tcp dport 70 dnat ip to 10.20.0.11:71',
      '0 forwards to make, 0 rules to remove, 3 not taken over',
    ].join('\n'),
  );
  expect(await runIn(network.router, 'nft', ['list', 'ruleset'])).toBe(before);
});

test('a rule whose packets a forward has already stays, and one that goes with it', async () => {
  const added = await home.run('forward', 'add', '--socket', home.socket, `${ROUTED[4]}:90`, `${INSTANCE[4]}:80`);
  expect(added.stderr).toBe('');
  await runIn(network.router, 'iptables-nft-restore', [], RULES);
  const { stdout } = await adopt('--yes');
  expect(stdout).toMatch(/! .*: iptables-nft: the forward [\da-f-]{36} has some of its packets already\n {4}-A mine/);
  expect(stdout).toContain('2 forwards made, 2 rules removed');
  expect(await saved('iptables-nft')).toContain(TAKEN[2]);
});

test('the same where forwards are rules of iptables themselves', async () => {
  await close();
  await open('iptables');
  await runIn(network.router, 'iptables-nft-restore', [], RULES);
  const { id } = await client.open(GATEWAY[4], 8080);
  const before = await flows();
  expect((await adopt('--yes')).stdout).toContain('4 forwards made, 3 rules removed');
  expect(await client.echo(id, 'still here')).toBe('still here');
  for (const flow of before) expect(await flows()).toContain(flow);
  expect(await client.connect(GATEWAY[4], 8080)).toContain(CLIENT[4]);
  await runIn(network.router, 'iptables-nft', ['-t', 'nat', ...(TAKEN[1] ?? '').split(' ')]);
  expect((await adopt('--yes')).stdout).toContain('0 forwards made, 1 rule removed');
});

/** On a terminal, with a person who answers the question once it is there. */
async function adoptOnTerminal(answer: string): Promise<string> {
  const program = join(import.meta.dirname, '../../bin/hatoba');
  const command = `${program} adopt --socket ${home.socket} --router ${network.router}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const wasAsked = shown.includes('[y/N]');
    shown += text;
    if (!wasAsked && shown.includes('[y/N]')) child.stdin.write(answer);
  });
  await once(child, 'close');
  return shown;
}

test('a person is asked, and answered to', async () => {
  await runIn(network.router, 'iptables-nft-restore', [], `*nat\n${TAKEN[1]}\nCOMMIT\n`);
  expect(await adoptOnTerminal('n\n')).toContain('nothing was changed');
  expect(await adoptOnTerminal('\u0004')).toContain('nothing was changed');
  expect(await saved('iptables-nft')).toContain(TAKEN[1]);
  expect(await adoptOnTerminal('y\n')).toContain('1 forward made, 1 rule removed');
  expect(await saved('iptables-nft')).toBe('');
});
