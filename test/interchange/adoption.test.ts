import { describe, expect, test } from 'vitest';
import { planAdoption } from '../../src/interchange/adoption.ts';
import type { AdoptionRequest, Instance } from '../../src/interchange/adoption-sources.ts';
import { parseAddress } from '../../src/model/address.ts';
import { type ForwardInput, printForwardSpec } from '../../src/model/forward.ts';
import { forwardOf } from '../model/arbitraries.ts';

const RULE = '-A PREROUTING -d 203.0.113.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080';
const SAME: Partial<ForwardInput> = {
  external_address: '203.0.113.1',
  external_port: 80,
  internal_address: '10.0.0.5',
  internal_port: 8080,
};

type Program = 'iptables-nft' | 'iptables-legacy';

function instance(id: string, rules: Partial<Record<Program, readonly string[]>>): Instance {
  const dumps = Object.entries(rules).map(([program, lines]) => ({
    variant: program === 'iptables-nft' ? ('nft' as const) : ('legacy' as const),
    family: 4 as const,
    program,
    text: ['*nat', ':PREROUTING ACCEPT [0:0]', ':mine - [0:0]', ...lines, 'COMMIT', ''].join('\n'),
  }));
  return { id, texts: { dumps, nft: null } };
}

function plan(instances: readonly Instance[], differences: Partial<AdoptionRequest> = {}) {
  const request = {
    router: 'r',
    gateways: {},
    existing: [],
    priority: -110,
    followGateway: false,
    allAddresses: false,
    addresses: [],
    outside: [],
  };
  const { forwards, rules, left, bypassed } = planAdoption(instances, { ...request, ...differences });
  return {
    forwards: forwards.map((spec) => {
      const { external_address, external_port, internal_address, internal_port, sources } = printForwardSpec(spec);
      const from = sources.length === 0 ? '' : ` from ${sources.join(',')}`;
      return `${external_address} ${external_port}${from} -> ${internal_address} ${internal_port}`;
    }),
    rules: rules.map(({ instance: id, program, present, created }) => [id, program, ...present, ...created].join(' ')),
    left: left.map(({ instance: id, reason }) => `${id}: ${reason}`),
    ...(bypassed.length === 0 ? {} : { bypassed: bypassed.map(({ program, text }) => `${program}: ${text}`) }),
  };
}

const FORWARD = '203.0.113.1 80 -> 10.0.0.5 8080';

test('a rule that two places or two programs have is one forward', () => {
  const places = [
    instance('a', { 'iptables-nft': [RULE], 'iptables-legacy': [RULE] }),
    instance('b', { 'iptables-nft': [RULE] }),
  ];
  expect(plan(places)).toEqual({
    forwards: [FORWARD],
    rules: ['a iptables-nft 0', 'a iptables-legacy 0', 'b iptables-nft 0'],
    left: [],
  });
});

test('rules that differ from place to place, or from program to program, stay', () => {
  const other = RULE.replace('10.0.0.5', '10.0.0.6');
  const places = plan([instance('a', { 'iptables-nft': [RULE] }), instance('b', { 'iptables-nft': [other] })]);
  expect(places).toMatchObject({ forwards: [], rules: [] });
  expect(places.left[0]).toBe(
    `a: it cannot be told which packets it has left by a rule of iptables-nft in b: ${other}`,
  );
  const programs = plan([instance('a', { 'iptables-nft': [RULE], 'iptables-legacy': [other] })]);
  expect(programs.left).toHaveLength(2);
  const redirect = '-A PREROUTING -p tcp -j REDIRECT --to-ports 1';
  const rival = plan([instance('a', { 'iptables-nft': [RULE], 'iptables-legacy': [redirect] })]);
  expect(rival.rules).toEqual([]);
  expect(rival.left).toContain(
    `a: it cannot be told which packets it has left by a rule of iptables-legacy (nat): ${redirect}`,
  );
});

test('a rule before it is named by its text, since what is in the kernel has no lines', () => {
  expect(plan([instance('a', { 'iptables-nft': [RULE, RULE] })])).toEqual({
    forwards: [FORWARD],
    rules: ['a iptables-nft 0'],
    left: [`a: the rule ${RULE} comes first, and takes all its packets`],
  });
});

describe('rules that do something before and let packets go on', () => {
  const MARK = '-A PREROUTING -d 203.0.113.1/32 -p tcp -j MARK --set-xmark 0x1/0xffffffff';
  const LOG = '-A PREROUTING -p tcp -j LOG';

  test('are a reason against the rule, or named with the forward', () => {
    expect(plan([instance('a', { 'iptables-nft': [MARK, RULE] })])).toEqual({
      forwards: [],
      rules: [],
      left: [`a: the rule ${MARK} does something to its packets (MARK), which would not meet it any more`],
    });
    expect(plan([instance('a', { 'iptables-nft': [LOG, RULE] })])).toEqual({
      forwards: [FORWARD],
      rules: ['a iptables-nft 0'],
      left: [],
      bypassed: [`iptables-nft: ${LOG}`],
    });
  });

  test('also those of the other program, since it cannot be told whose come first', () => {
    const marked = plan([instance('a', { 'iptables-nft': [RULE], 'iptables-legacy': [MARK] })]);
    expect(marked.left).toEqual([
      `a: it cannot be told which packets it has left by a rule of iptables-legacy (nat): ${MARK}`,
    ]);
    const logged = plan([instance('a', { 'iptables-nft': [RULE], 'iptables-legacy': [LOG] })]);
    expect(logged).toMatchObject({ rules: ['a iptables-nft 0'], bypassed: [`iptables-legacy (nat): ${LOG}`] });
  });

  test('are not named where no forward comes of it', () => {
    const existing = [forwardOf({ router: 'r', ...SAME, internal_port: 1 })];
    const refused = plan([instance('a', { 'iptables-nft': [LOG, RULE] })], { existing });
    expect(refused.left).toHaveLength(1);
    expect(refused.bypassed).toBeUndefined();
  });
});

test('a rule without an address, for packets by an outside interface', () => {
  const rule = RULE.replace('-d 203.0.113.1/32', '-i wan0');
  const own = (...texts: readonly string[]) =>
    texts.map((text) => ({ interface: 'wan0', address: parseAddress(text) }));
  const gateways = { 4: parseAddress('203.0.113.1') };
  const places = [instance('a', { 'iptables-nft': [rule] })];
  const options = { gateways, outside: ['wan'], followGateway: true };
  expect(plan(places, { ...options, addresses: own('203.0.113.1') })).toEqual({
    forwards: ['gateway 80 -> 10.0.0.5 8080'],
    rules: ['a iptables-nft 0'],
    left: [],
  });
  const addresses = own('203.0.113.1', '203.0.113.2');
  expect(plan(places, { ...options, addresses }).left[0]).toContain('--all-addresses makes a forward for each');
  expect(plan(places, { ...options, addresses, allAddresses: true })).toEqual({
    forwards: ['gateway 80 -> 10.0.0.5 8080', '203.0.113.2 80 -> 10.0.0.5 8080'],
    rules: ['a iptables-nft 0 1'],
    left: [],
  });
});

test('a rule with a line break, which iptables-restore could not remove, is named as a whole, and the others go', () => {
  const broken = RULE.replace('80', '81').replace('-j', '-m comment --comment "two\nlines" -j');
  const options = {
    router: 'r',
    gateways: {},
    existing: [],
    priority: -110,
    followGateway: false,
    allAddresses: false,
    addresses: [],
    outside: [],
  };
  const { rules, left } = planAdoption([instance('a', { 'iptables-nft': [broken, RULE] })], options);
  expect(rules.map(({ text }) => text)).toEqual([RULE]);
  expect(left.map(({ text }) => text)).toEqual([broken]);
});

test('rules that share a forward go together, or stay together', () => {
  const from = (source: string, port = '80') => RULE.replace('-d', `-s ${source} -d`).replace('80', port);
  const rules = [from('198.51.100.0/25'), from('198.51.100.128/25')];
  expect(plan([instance('a', { 'iptables-nft': rules })])).toEqual({
    forwards: ['203.0.113.1 80 from 198.51.100.0/24 -> 10.0.0.5 8080'],
    rules: ['a iptables-nft 0', 'a iptables-nft 0'],
    left: [],
  });
  const multiport =
    '-A PREROUTING -d 203.0.113.1/32 -p tcp -m multiport --dports 80,90 -j DNAT --to-destination 10.0.0.5';
  const existing = [forwardOf({ router: 'r', ...SAME, external_port: 90 })];
  const { forwards, left } = plan([instance('a', { 'iptables-nft': [multiport] })], { existing });
  expect(forwards).toEqual([]);
  expect(left).toEqual([`a: the forward ${existing[0]?.id} has some of its packets already`]);
});

describe('a forward that is there already', () => {
  test.each<[string, Partial<ForwardInput>, string]>([
    ['and does the same', {}, 'removed'],
    ['on the gateway, which has that address', { external_address: 'gateway' }, 'removed'],
    ['with a name and labels', { name: 'n', labels: { a: 'b' } }, 'removed'],
    ['but leads elsewhere', { internal_address: '10.0.0.6' }, 'stays'],
    ['but is disabled', { enabled: false }, 'stays'],
    ['but ends some time', { expires_at: '2100-01-01T00:00:00Z' }, 'stays'],
    ['for some only', { sources: ['198.51.100.0/24'] }, 'stays'],
    ['for more ports', { external_port: '70-90', internal_port: '8070-8090' }, 'stays'],
    ['on another port', { external_port: 81 }, 'made'],
    ['of another protocol', { protocol: 'udp' }, 'made'],
  ])('%s', (_, input, outcome) => {
    const existing = [forwardOf({ router: 'r', ...SAME, ...input })];
    const gateways = { 4: parseAddress('203.0.113.1') };
    const { forwards, rules } = plan([instance('a', { 'iptables-nft': [RULE] })], { existing, gateways });
    expect([forwards.length, rules.length]).toEqual({ removed: [0, 1], stays: [0, 0], made: [1, 1] }[outcome]);
  });

  test('as a rule of ours in iptables itself', () => {
    const own = RULE.replace('PREROUTING', 'hatoba-prerouting');
    const lines = [':hatoba-prerouting - [0:0]', '-A PREROUTING -j hatoba-prerouting', own, RULE];
    const existing = [forwardOf({ router: 'r', ...SAME })];
    const inOne = plan([instance('a', { 'iptables-nft': lines })], { existing });
    expect(inOne).toEqual({ forwards: [], rules: [`a iptables-nft ${existing[0]?.id}`], left: [] });
    const inTwo = instance('a', { 'iptables-nft': lines.slice(0, 3), 'iptables-legacy': [RULE] });
    expect(plan([inTwo], { existing })).toEqual({
      forwards: [],
      rules: [`a iptables-legacy ${existing[0]?.id}`],
      left: [],
    });
  });
});

test.each([
  ['neutron-l3-agent-x', 'Neutron'],
  ['DOCKER', 'Docker'],
  ['KUBE-SERVICES', 'Kubernetes'],
  ['LIBVIRT_PRT', 'libvirt'],
])('rules in %s are of %s', (chain, owner) => {
  const lines = [`:${chain} - [0:0]`, `-A PREROUTING -j ${chain}`, RULE.replace('PREROUTING', chain)];
  const places = [instance('a', { 'iptables-nft': lines })];
  const request = {
    router: 'r',
    gateways: {},
    existing: [],
    priority: -110,
    followGateway: false,
    allAddresses: false,
    addresses: [],
    outside: [],
  };
  expect(planAdoption(places, request)).toMatchObject({ forwards: [], rules: [], left: [], owners: [owner] });
});
