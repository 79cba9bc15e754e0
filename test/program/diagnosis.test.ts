import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { FindingCode } from '../../src/model/finding-catalogue.ts';
import type { Finding } from '../../src/model/findings.ts';
import type { Forward } from '../../src/model/forward.ts';
import type { RouterStatus } from '../../src/model/status.ts';
import { diagnoseForward, diagnoseTraffic } from '../../src/program/diagnosis/forward.ts';
import { diagnoseNode } from '../../src/program/diagnosis/node.ts';
import { diagnoseInstance, diagnoseStatus, type RouterKnowledge } from '../../src/program/diagnosis/router.ts';
import type { InstanceFacts, Passage, RuleFacts, TargetFacts, WayFacts } from '../../src/program/facts.ts';
import { forwardOf, idOf } from '../model/arbitraries.ts';
import { ruleOf } from './programs.ts';

const GATEWAY = '198.51.100.1';
const FORWARD = forwardOf(
  { external_port: '5001', internal_address: '10.20.0.11', internal_port: '22' },
  { id: idOf(1) },
);
const RULE = ruleOf(1, 'tcp', [GATEWAY, 5001], ['10.20.0.11', 22]);
const NOW = '2026-01-01T00:00:00.000Z';

const WAY: WayFacts = {
  arrivesBy: ['qg-1'],
  isHairpin: false,
  isBridged: false,
  isLocal: false,
  toTarget: { interface: 'qr-1', nextHop: null },
  refusal: null,
  toClient: { interface: 'qg-1', nextHop: parseAddress('198.51.100.254') },
  client: parseAddress('192.0.2.1'),
};

const BEHIND_ONE = { arrivesBy: ['qr-1'], toClient: WAY.toTarget, client: parseAddress('10.20.0.12') };

const TARGET: TargetFacts = {
  neighbour: { address: parseAddress('10.20.0.11'), state: 'REACHABLE' },
  answer: 'accepts',
};

const RULE_FACTS: RuleFacts = {
  rule: RULE,
  hasAddress: true,
  connections: 7,
  way: WAY,
  passages: [],
  translatesSource: 'no',
  target: TARGET,
};

const STATUS: RouterStatus = {
  router: 'edge',
  node: 'n1',
  instances: ['edge'],
  gateways: { 4: parseAddress(GATEWAY) },
  revision: 100,
  at: NOW,
  problems: {},
  error: null,
};

function instance(differences: Partial<InstanceFacts> = {}, rule: Partial<RuleFacts> = {}): InstanceFacts {
  return {
    instance: 'edge',
    gateways: STATUS.gateways,
    outside: { 4: ['qg-1'], 6: ['qg-1'] },
    forwarding: { 4: true, 6: true },
    flows: { entries: 10, limit: 1000 },
    strictReversePath: [],
    routingRules: { 4: [], 6: [] },
    unread: [],
    rules: new Map([[RULE.forward, { ...RULE_FACTS, ...rule }]]),
    ...differences,
  };
}

function knowledge(differences: Partial<RouterKnowledge> = {}): RouterKnowledge {
  return { router: 'edge', forwards: [FORWARD], status: STATUS, now: NOW, ...differences };
}

function wrong(found: readonly Finding[]): readonly FindingCode[] {
  return found.filter(({ level }) => level !== 'ok').map(({ code }) => code);
}

const about = (forward: Forward, facts: readonly InstanceFacts[], status: RouterStatus | null = STATUS) =>
  wrong(diagnoseForward(forward, knowledge({ status }), facts));

describe('a forward', () => {
  test('of which everything is right', () => {
    const found = diagnoseForward(FORWARD, knowledge(), [instance()]);
    expect(wrong(found)).toEqual([]);
    expect(found.map(({ code }) => code)).toContain('target_answers');
    expect(found.every(({ router }) => router === 'edge')).toBe(true);
  });

  const failure = { failure: 'Network is unreachable' };
  test.each<[string, InstanceFacts, readonly FindingCode[]]>([
    [
      'forwarding off: what follows from it is not said',
      instance({ forwarding: { 4: false, 6: true } }),
      ['forwarding_off'],
    ],
    ['forwarding of the other family', instance({ forwarding: { 4: true, 6: false } }), []],
    ['no such family', instance({ forwarding: { 4: null, 6: null } }), ['family_absent']],
    ['no gateway', instance({ gateways: {} }), ['gateway_missing']],
    ['no outside', instance({ gateways: {}, outside: { 4: [], 6: [] } }), ['outside_missing']],
    ['79 %', instance({ flows: { entries: 799, limit: 1000 } }), []],
    ['80 %', instance({ flows: { entries: 800, limit: 1000 } }), ['conntrack_nearly_full']],
    ['98 %', instance({ flows: { entries: 980, limit: 1000 } }), ['conntrack_full']],
    ['no connection tracking yet', instance({ flows: { entries: 0, limit: null } }), []],
    ['a missing program', instance({ unread: ['iptables-nft: it is not installed'] }), ['rules_unread']],
    ['not in the kernel', instance({}, { connections: null }), ['rule_missing']],
    ['an address of others', instance({}, { hasAddress: false }), ['address_absent']],
    ['no route', instance({}, { way: { ...WAY, toTarget: failure } }), ['route_missing']],
    [
      'a route outside',
      instance({}, { way: { ...WAY, toTarget: WAY.toClient } }),
      ['route_outside', 'answer_bypasses_router'],
    ],
    [
      'clients behind the interface by which the target is reached, which are masqueraded',
      instance({}, { way: { ...WAY, ...BEHIND_ONE, isHairpin: true } }),
      [],
    ],
    [
      'a route outside, on a bridge',
      instance({}, { way: { ...WAY, toTarget: WAY.toClient, isBridged: true } }),
      ['route_outside'],
    ],
    [
      'a route outside, by which others masquerade',
      instance({}, { way: { ...WAY, toTarget: WAY.toClient }, translatesSource: 'yes' }),
      ['route_outside'],
    ],
    [
      'no neighbour',
      instance(
        {},
        { target: { ...TARGET, neighbour: { address: RULE.internal, state: 'FAILED' }, answer: 'EHOSTUNREACH' } },
      ),
      ['neighbour_failed', 'target_unreachable'],
    ],
    ['an unknown neighbour', instance({}, { target: { ...TARGET, neighbour: null } }), []],
    ['refused', instance({}, { target: { ...TARGET, answer: 'refuses' } }), ['target_refuses']],
    ['silent', instance({}, { target: { ...TARGET, answer: 'silent' } }), ['target_silent']],
    ['not to be asked', instance({}, { target: { ...TARGET, answer: null } }), []],
    ['no way back', instance({}, { way: { ...WAY, toClient: failure } }), ['reply_route_missing']],
    ['another way back', instance({}, { way: { ...WAY, toClient: WAY.toTarget } }), ['reply_route_astray']],
    [
      'another way back, and a strict filter',
      instance(
        { strictReversePath: ['qg-1'] },
        { way: { ...WAY, toClient: WAY.toTarget, refusal: 'Invalid cross-device link' } },
      ),
      ['reverse_path_filtered'],
    ],
    ['a strict filter with the right way', instance({ strictReversePath: ['qg-1'] }), []],
    ['refused arrival', instance({}, { way: { ...WAY, refusal: 'No route to host' } }), ['arrival_refused']],
  ])('%s', (_, facts, codes) => {
    expect(about(FORWARD, [facts])).toEqual(codes);
  });

  test('on its own address, it needs no gateway', () => {
    const named = { ...FORWARD, externalAddress: parseAddress('203.0.113.7') };
    expect(wrong(diagnoseInstance(knowledge({ forwards: [named] }), instance({ gateways: {} })))).toEqual([]);
  });

  test('that is not active, and why', () => {
    expect(about(FORWARD, [])).toEqual(['router_absent']);
    expect(about({ ...FORWARD, enabled: false }, [instance()])).toEqual(['forward_disabled']);
    expect(about({ ...FORWARD, expiresAt: '2025-01-01T00:00:00.000Z' }, [instance()])).toEqual(['forward_expired']);
    const pending: RouterStatus = {
      ...STATUS,
      problems: { [FORWARD.id]: { state: 'pending', message: 'it lacks x' } },
    };
    const [first] = diagnoseForward(FORWARD, knowledge({ status: pending }), [instance()]);
    expect(first).toMatchObject({ code: 'forward_inactive', seen: 'the forward is pending: it lacks x' });
  });
});

describe('rules of others', () => {
  const passage: Passage = {
    chain: 'iptables-nft filter FORWARD',
    packet: 'first',
    outcome: 'drop',
    rule: null,
    author: null,
  };

  test.each<[Partial<Passage>, FindingCode, string]>([
    [
      {},
      'policy_drops',
      'the policy of iptables-nft filter FORWARD is drop, and no rule was found there that accepts packets to 10.20.0.11:22/tcp',
    ],
    [{ packet: 'answer' }, 'policy_drops', 'the answers of 10.20.0.11:22/tcp'],
    [{ author: 'docker' }, 'docker_drops', 'Docker drops packets to 10.20.0.11:22/tcp'],
    [{ author: 'docker', rule: '-A FORWARD -j DROP' }, 'rule_drops', 'by the rule: -A FORWARD -j DROP'],
    [{ author: 'firewalld', rule: 'reject' }, 'firewalld_drops', 'by the rule: reject'],
    [
      { author: 'address-scopes', rule: '-A x' },
      'address_scope_differs',
      'different address scopes, by the rule: -A x',
    ],
    [{ outcome: 'unclear', rule: '-A y' }, 'firewall_unclear', 'first of all on: -A y'],
  ])('%j', (differences, code, quoted) => {
    const found = diagnoseForward(FORWARD, knowledge(), [instance({}, { passages: [{ ...passage, ...differences }] })]);
    expect(found.find((each) => each.code === code)?.seen).toContain(quoted);
    expect(wrong(found)).toEqual([code]);
  });

  test('are said once of a router, however many forwards they stop', () => {
    const other = ruleOf(2, 'udp', [GATEWAY, 53], ['10.20.0.12', 53]);
    const passages = [passage, { ...passage, packet: 'answer' as const }];
    const rules = new Map([RULE, other].map((rule) => [rule.forward, { ...RULE_FACTS, rule, passages }]));
    const found = diagnoseTraffic('edge', instance({ rules }));
    expect(found.map(({ code, forward }) => [code, forward])).toEqual([
      ['policy_drops', RULE.forward],
      ['policy_drops', RULE.forward],
    ]);
  });
});

describe('a router', () => {
  test('that fails', () => {
    const status = { ...STATUS, error: 'the kernel refused' };
    expect(diagnoseStatus(knowledge({ status }))).toMatchObject([
      { code: 'router_failing', seen: 'the forwards cannot be applied: the kernel refused' },
    ]);
  });

  test('with forwards that are not active: one finding for each reason', () => {
    const others = [2, 3, 4].map((number) =>
      forwardOf({ external_port: '5001', internal_address: '10.20.0.11' }, { id: idOf(number) }),
    );
    const problems = Object.fromEntries(
      [FORWARD, ...others].map(({ id }, at) => [id, { state: 'pending' as const, message: at < 3 ? 'a' : 'b' }]),
    );
    const found = diagnoseStatus(knowledge({ forwards: [FORWARD, ...others], status: { ...STATUS, problems } }));
    expect(found.map(({ seen }) => seen)).toEqual([
      `3 of its forwards are pending, the oldest of them ${FORWARD.id}: a`,
      `1 of its forwards are pending, the oldest of them ${others[2]?.id}: b`,
    ]);
  });

  test('whose forwards meet rules of others', () => {
    const status = { ...STATUS, warnings: { [FORWARD.id]: ['the rule -A x comes first'] } };
    const expected = { code: 'rules_overlap', forward: FORWARD.id, seen: 'the rule -A x comes first' };
    expect(diagnoseStatus(knowledge({ status }))).toMatchObject([expected]);
    expect(diagnoseForward(FORWARD, knowledge({ status }), [instance()])[1]).toMatchObject(expected);
  });

  test('without forwards lacks nothing', () => {
    const bare = instance({ gateways: {}, outside: { 4: [], 6: [] }, forwarding: { 4: false, 6: false } });
    expect(wrong(diagnoseInstance(knowledge({ forwards: [] }), bare))).toEqual([]);
  });

  test('is said to be on the machine itself where it is', () => {
    const [off] = diagnoseInstance(knowledge(), instance({ instance: 'host', forwarding: { 4: false, 6: true } }));
    expect(off?.advice).toMatch(/^Switch it on: sysctl -w net\.ipv4\.ip_forward=1;/);
    const [inside] = diagnoseInstance(knowledge(), instance({ forwarding: { 4: false, 6: true } }));
    expect(inside?.advice).toMatch(/^Switch it on: ip netns exec edge sysctl -w/);
  });
});

test('a node', () => {
  const rights = { missingCapabilities: [] };
  const node = { name: 'n1', roles: ['api', 'agent'], driver: 'libnftables' };
  expect(diagnoseNode({ ...node, driver: 'nft' }, rights).map(({ code }) => code)).toEqual([
    'capabilities_present',
    'driver_program',
  ]);
  // All is done by iptables.
  expect(diagnoseNode({ ...node, driver: null }, rights).map(({ code }) => code)).toEqual(['capabilities_present']);
  const apiAlone = { ...node, roles: ['api'], driver: null };
  expect(diagnoseNode(apiAlone, rights).map(({ code }) => code)).toEqual(['agent_absent']);
  expect(wrong(diagnoseNode(node, { missingCapabilities: ['CAP_SYS_ADMIN'] }))).toEqual(['capability_missing']);
});
