import type { LocalNode } from '../../../src/api/local-node.ts';
import { parseAddress } from '../../../src/model/address.ts';
import type { Forward } from '../../../src/model/forward.ts';
import type { Orphan } from '../../../src/model/orphan.ts';
import type { RouterId } from '../../../src/model/router.ts';
import type { InstanceFacts, Passage, RuleFacts, WayFacts } from '../../../src/program/facts.ts';
import { isRule, resolveForward } from '../../../src/program/rule.ts';
import { idOf } from '../../model/arbitraries.ts';
import { spec } from '../../registry/specs.ts';
import { report } from '../api-under-test.ts';
import { SECRETS } from './tenants.ts';

/** Everybody's secrets are in what others' rules say. */
const TEXT = `-A FORWARD -m comment --comment "${Object.values(SECRETS).flat().join(' ')}" -j DROP`;

const PASSAGE: Passage = {
  chain: 'iptables-nft filter FORWARD',
  packet: 'first',
  outcome: 'drop',
  rule: TEXT,
  author: null,
};

const WAY: WayFacts = {
  arrivesBy: ['qg-1'],
  isHairpin: false,
  isBridged: false,
  toTarget: { interface: 'qr-1', nextHop: null },
  isLocal: false,
  refusal: null,
  toClient: { interface: 'qg-1', nextHop: null },
  client: parseAddress('192.0.2.1'),
};

/** A node that tells everything about all of these forwards to whoever asks it: what is kept back is kept back by the API. */
export function tellingNode(forwards: () => readonly Forward[]): Partial<LocalNode> {
  const count = ({ id }: Forward) => ({ forward: id, connections: 1, in: null, out: null, lastUsed: null });
  return {
    counters: async () => forwards().map(count),
    liveFlows: async () => new Map(forwards().map(({ id }) => [id, 3])),
    flowUsage: async () => [...new Set(forwards().map(({ router }) => router))].map(fullness),
    observe: async () => null,
    examineRouter: async (router) => [examined(router, forwards())],
    orphans: {
      list: async (router) => [orphanOf(router)],
      discard: async (router) => [orphanOf(router)],
    },
    adoption: {
      plan: async (router) => ({
        forwards: [spec({ router, external_port: 60_001, internal_address: '192.0.2.60', internal_port: 60 })],
        rules: [{ instance: router, program: 'iptables-nft', text: TEXT, present: [], created: [0] }],
        left: [],
        bypassed: [],
        addresses: [],
        unread: [TEXT],
        owners: ['docker'],
      }),
      remove: async (rules) => rules.map(() => ({ outcome: 'removed', reason: null })),
    },
  };
}

/** On a router that the world of the requests does not have. */
function orphanOf(router: RouterId | null): Orphan {
  return {
    id: idOf(60_002),
    spec: spec({ router: router ?? 'edge-of-orphans', external_port: 60_002, internal_address: '192.0.2.61' }),
  };
}

function fullness(router: RouterId) {
  return { router, entries: 1, limit: 2 };
}

function examined(router: RouterId, forwards: readonly Forward[]): InstanceFacts {
  const { gateways } = report(0, { router });
  const facts = forwards.flatMap((forward): [Forward['id'], RuleFacts][] => {
    const rule = resolveForward(forward, gateways);
    if (!isRule(rule)) return [];
    const passing = { way: WAY, passages: [PASSAGE], translatesSource: 'no' as const };
    return [[forward.id, { rule, hasAddress: true, connections: 1, ...passing, target: null }]];
  });
  return {
    instance: `qrouter-${router}`,
    gateways,
    outside: { 4: ['qg-1'], 6: ['qg-1'] },
    forwarding: { 4: true, 6: true },
    flows: { entries: 1, limit: 100 },
    strictReversePath: [],
    routingRules: { 4: [TEXT], 6: [TEXT] },
    unread: [TEXT],
    rules: new Map(facts),
  };
}
