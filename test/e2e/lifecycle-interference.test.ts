import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startChurn } from '../support/churn.ts';
import { ip, nft } from '../support/command.ts';
import { type Daemon, type DaemonHome, openDaemonHome } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { activeElements, elementsIn, rulesetOf } from '../support/kernel-state.ts';
import { createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from '../support/network.ts';
import { openPeer, type Peer } from '../support/peer.ts';

/** After so many quiet milliseconds, disturbances are not taken for a fight. */
const CALM = 1_200;
const ELEMENT = `${GATEWAY[4]} . 6 . 5001`;
const ELEMENT_6 = `${GATEWAY[6]} . 6 . 5001`;

const FOREIGN_CHAIN = 'add table inet hatoba\nadd chain inet hatoba foreign';

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let client: Peer;
let instance: Peer;
let right: string;

beforeAll(async () => {
  network = await createNetwork();
  home = await openDaemonHome({
    neutron: false,
    routers: [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }],
  });
  daemon = await home.start();
  instance = await openPeer(network.instance);
  await instance.serveTcp(22);
  client = await openPeer(network.client);
  const fields = { router: network.router, external_port: 5001, internal_port: 22 };
  await home.client.createForward({ ...fields, internal_address: INSTANCE[4] }, '60');
  await home.client.createForward({ ...fields, internal_address: INSTANCE[6] }, '60');
  right = await rulesetOf(network.router);
});

afterAll(async () => {
  for (const opened of [client, instance, home, network]) await opened[Symbol.asyncDispose]();
});

async function expectPutRight(): Promise<void> {
  await eventually(async () => expect(await rulesetOf(network.router)).toBe(right));
  await client.connect(GATEWAY[4], 5001);
  await client.connect(GATEWAY[6], 5001);
}

beforeEach(async ({ task }) => {
  if (task.suite?.tasks[0] === task) await sleep(CALM);
});

/** One transaction of somebody else. */
async function interfere(script: string): Promise<void> {
  await nft(network.router, `${script}\n`);
}

describe('whatever somebody else does to the elements, it is put right by event:', () => {
  test.each([
    ['flush ruleset', 'flush ruleset'],
    ['delete our table', 'delete table inet hatoba'],
    ['replace our table by an empty one', 'delete table inet hatoba\nadd table inet hatoba'],
    ['remove one element', `delete element inet hatoba exact4 { ${ELEMENT} }`],
    ['remove one element of IPv6', `delete element inet hatoba exact6 { ${ELEMENT_6} }`],
    ['empty a map', 'flush map inet hatoba exact4'],
    [
      'lead an element elsewhere',
      `delete element inet hatoba exact4 { ${ELEMENT} }\nadd element inet hatoba exact4 { ${ELEMENT} : 10.20.0.12 . 80 }`,
    ],
    ['add an element', 'add element inet hatoba exact4 { 203.0.113.7 . 17 . 53 : 10.20.0.12 . 53 }'],
    [
      'add an element with a comment',
      'add element inet hatoba exact6 { 2001:db8::9 . 6 . 80 comment "mine" : fd00:20::12 . 80 }',
    ],
  ])('%s', async (_, script) => {
    await interfere(script);
    await expectPutRight();
  });
});

describe('whatever somebody else does to the rest of our table, it is put right by event:', () => {
  test.each([
    ['flush our chain', 'flush chain inet hatoba prerouting'],
    ['add a rule', 'add rule inet hatoba prerouting tcp dport 5001 drop'],
    ['insert a rule', 'insert rule inet hatoba prerouting tcp dport 5001 accept'],
    ['add a chain', 'add chain inet hatoba foreign'],
    ['add a chain with a hook', 'add chain inet hatoba foreign { type filter hook forward priority 0; policy drop; }'],
    ['change the policy of our chain', 'add chain inet hatoba prerouting { policy drop; }'],
    ['add a set', 'add set inet hatoba foreign { type ipv4_addr; }'],
    ['add a map', 'add map inet hatoba foreign { type ipv4_addr : inet_service; }'],
    ['add a counter', 'add counter inet hatoba foreign'],
    ['put our table to sleep', 'add table inet hatoba { flags dormant; }'],
  ])('%s', async (_, script) => {
    await interfere(script);
    await expectPutRight();
  });
});

describe('of several changes none is missed:', () => {
  test('made at once', async () => {
    await Promise.all(['flush ruleset', 'add table inet hatoba', FOREIGN_CHAIN].map(interfere));
    await expectPutRight();
  });

  test('made while forwards change', async () => {
    const churns = [1, 2, 3, 4].map((n) =>
      startChurn(home.client, { name: `c${n}`, router: network.router, firstPort: n * 10_000, wait: '0' }),
    );
    for (let time = 0; time < 15; time++) {
      await interfere('flush ruleset');
      await sleep(Math.random() * 15);
    }
    for (const churn of churns) await churn.stop();
    const names = churns.flatMap(({ present }) => [...present]);
    const active = async () => (await home.client.listForwards({ state: 'active' })).map(({ name }) => name);
    await eventually(async () => expect(new Set(await active())).toEqual(new Set([null, ...names])));
    expect(await elementsIn(network.router)).toEqual(await activeElements(home.client, network.router));
    for (const name of names) await home.client.removeForward(name, '60');
    await expectPutRight();
  });
});

describe('left alone, since it is not ours:', () => {
  test.each([
    [
      'a table of the same name in another family',
      'add table ip hatoba\nadd chain ip hatoba prerouting',
      'delete table ip hatoba',
    ],
    ['a table beside ours', 'add table inet theirs\nadd chain inet theirs a', 'delete table inet theirs'],
  ])('%s', async (_, script, undo) => {
    const corrections = daemon.log.filter(({ corrections }) => corrections !== undefined).length;
    await interfere(script);
    const theirs = await rulesetOf(network.router);
    expect(theirs).not.toBe(right);
    await ip(network.router, 'link set lo down', 'link set lo up');
    expect(await rulesetOf(network.router)).toBe(theirs);
    expect(daemon.log.filter(({ corrections }) => corrections !== undefined)).toHaveLength(corrections);
    await interfere(undo);
    await expectPutRight();
  });
});
