import { expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { ForwardInput } from '../../src/model/forward.ts';
import { forwardStatus, type RouterStatus } from '../../src/model/status.ts';
import { forwardOf } from './arbitraries.ts';

const [BEFORE, AT, AFTER] = ['2025-12-31T23:59:59.999Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z'];
const ID = '00000000-0000-4000-8000-000000000001';
const pending = { state: 'pending', message: 'no gateway' } as const;
const failed = { state: 'error', message: 'taken' } as const;

function statusOn(node: string, status: Partial<RouterStatus> = {}): RouterStatus {
  return {
    router: 'r',
    node,
    instances: ['r'],
    gateways: {},
    revision: 5,
    at: AT,
    problems: {},
    error: null,
    ...status,
  };
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
  const status = forwardStatus(forwardOf({ enabled }, { revision: 5 }), statuses, AT);
  expect(status).toMatchObject({ state, message });
  expect(status.nodes.map(({ node }) => node)).toEqual(statuses.map(({ node }) => node));
});

test.each<[Partial<ForwardInput>, string | null]>([
  [{}, '203.0.113.1'],
  [{ external_address: '203.0.113.9' }, '203.0.113.9'],
  [{ internal_address: 'fd00::1' }, null],
])('a node says the outside address: %j has %s', (input, external_address) => {
  const status = statusOn('n', { gateways: { 4: parseAddress('203.0.113.1') } });
  expect(forwardStatus(forwardOf(input), [status], AT).nodes).toMatchObject([{ external_address, revision: 5 }]);
});

test.each<[string, string, Partial<ForwardInput>, readonly RouterStatus[], string]>([
  ['to end, and the node was there before', AFTER, {}, [active], 'active'],
  ['ended after the node was there', AFTER, { expires_at: AFTER }, [active], 'active'],
  ['ended when the node was there', AT, {}, [active], 'expired'],
  ['ended before the node was there', BEFORE, {}, [active], 'expired'],
  ['ended, and changed since', BEFORE, {}, [behind], 'pending'],
  ['ended, and the router is broken', BEFORE, {}, [broken], 'error'],
  ['ended, and had a problem until then', BEFORE, {}, [refused], 'expired'],
  ['ended, and disabled', BEFORE, { enabled: false }, [active], 'disabled'],
  ['still in one kernel', AT, {}, [active, statusOn('late', { at: BEFORE })], 'active'],
  ['ended, and on no node', AT, {}, [], 'expired'],
  ['to end, and on no node', AFTER, {}, [], 'waiting'],
  ['ended, disabled and on no node', AT, { enabled: false }, [], 'disabled'],
])('%s (%s): %j', (_, expires_at, input, statuses, state) => {
  const forward = forwardOf({ expires_at, ...input }, { revision: 5 });
  expect(forwardStatus(forward, statuses, AT).state).toBe(state);
});

test('warnings of any node are told once each, and change no state', () => {
  const warned = (node: string, ...texts: readonly string[]) =>
    statusOn(node, { warnings: { [ID]: texts, other: ['x'] } });
  const status = forwardStatus(
    forwardOf({}, { revision: 5 }),
    [warned('a', 'p', 'q'), warned('b', 'q', 'r'), active],
    AT,
  );
  expect(status).toMatchObject({ state: 'active', message: null, warnings: ['p', 'q', 'r'] });
  expect(forwardStatus(forwardOf({}, { revision: 5 }), [active], AT).warnings).toEqual([]);
});

test('nodes that have the router tell by their own clocks, whatever time it is here', () => {
  const forward = forwardOf({ expires_at: AT }, { revision: 5 });
  expect(forwardStatus(forward, [active], BEFORE).state).toBe('expired');
  expect(forwardStatus(forward, [statusOn('n', { at: BEFORE })], AFTER).state).toBe('active');
});
