import { expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { ForwardInput } from '../../src/model/forward.ts';
import { forwardStatus, type RouterStatus } from '../../src/model/status.ts';
import { forwardOf } from './arbitraries.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const pending = { state: 'pending', message: 'no gateway' } as const;
const failed = { state: 'error', message: 'taken' } as const;

function statusOn(node: string, status: Partial<RouterStatus> = {}): RouterStatus {
  const at = '2026-01-01T00:00:00.000Z';
  return { router: 'r', node, instances: ['r'], gateways: {}, revision: 5, at, problems: {}, error: null, ...status };
}

const active = statusOn('active');
const behind = statusOn('behind', { revision: 4 });
const waiting = statusOn('waiting', { problems: { [ID]: pending } });
const refused = statusOn('refused', { problems: { [ID]: failed } });
const broken = statusOn('broken', { error: 'kernel' });
const othersProblem = statusOn('others', { problems: { other: failed } });

test.each<[string, boolean, readonly RouterStatus[], string, string | null]>([
  ['no node', true, [], 'waiting', 'no node has the router r yet'],
  ['no node, and not wanted', false, [], 'disabled', null],
  ['applied', true, [active], 'active', null],
  ['applied, and another forward has a problem', true, [othersProblem], 'active', null],
  ['applied, and not wanted', false, [active], 'disabled', null],
  ['not applied yet', true, [behind], 'pending', 'the node has not applied it yet'],
  ['not withdrawn yet', false, [behind], 'pending', 'the node has not applied it yet'],
  ['waiting for a gateway', true, [waiting], 'pending', 'no gateway'],
  ['refused', true, [refused], 'error', 'taken'],
  ['router broken', true, [broken], 'error', 'kernel'],
  ['router broken before it was applied', true, [statusOn('n', { error: 'kernel', revision: 0 })], 'error', 'kernel'],
  ['active beats error and pending', true, [broken, behind, waiting, active], 'active', null],
  ['error beats pending', true, [behind, waiting, refused], 'error', 'taken'],
  ['the first of equals tells', true, [waiting, behind], 'pending', 'no gateway'],
  ['withdrawn on one node only', false, [active, behind], 'pending', 'the node has not applied it yet'],
])('%s', (_, enabled, statuses, state, message) => {
  const status = forwardStatus(forwardOf({ enabled }, { revision: 5 }), statuses);
  expect(status).toMatchObject({ state, message });
  expect(status.nodes.map(({ node }) => node)).toEqual(statuses.map(({ node }) => node));
});

test.each<[Partial<ForwardInput>, string | null]>([
  [{}, '203.0.113.1'],
  [{ external_address: '203.0.113.9' }, '203.0.113.9'],
  [{ internal_address: 'fd00::1' }, null],
])('a node says the outside address: %j has %s', (input, external_address) => {
  const status = statusOn('n', { gateways: { 4: parseAddress('203.0.113.1') } });
  expect(forwardStatus(forwardOf(input), [status]).nodes).toMatchObject([{ external_address, revision: 5 }]);
});
