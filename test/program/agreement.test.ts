import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { KernelStep, KernelWay } from '../../src/model/observation.ts';
import { disagreement, verdictOn } from '../../src/program/agreement.ts';

const ARRIVED = { source: '198.51.100.5', sourcePort: 4000, destination: '198.51.100.1', destinationPort: 5001 };
const LED = { ...ARRIVED, destination: '10.0.0.1', destinationPort: 22 };
const TARGET = { address: parseAddress('10.0.0.1'), port: 22 };
const POLICY: KernelStep = {
  table: 'ip filter',
  chain: 'FORWARD',
  base: { type: 'filter', hook: 'forward', priority: 0 },
  handle: null,
  rule: null,
  verdict: 'drop',
  ours: false,
};

function wayWith(differences: Partial<KernelWay>): KernelWay {
  return { arrived: ARRIVED, from: 'qg-x', steps: [], outcome: 'forwarded', left: LED, to: 'qr-x', ...differences };
}

test.each<[string, Partial<KernelWay>, string | null]>([
  ['it went there', {}, null],
  ['it is there', { outcome: 'delivered', to: null }, null],
  [
    'it went to another port',
    { left: { ...LED, destinationPort: 23 } },
    'it went to 10.0.0.1:23 instead of 10.0.0.1:22',
  ],
  ['it went to another address', { left: ARRIVED }, 'it went to 198.51.100.1:5001 instead of 10.0.0.1:22'],
  [
    'a policy dropped it',
    { outcome: 'dropped', left: null, steps: [POLICY] },
    'it was dropped by the policy of chain FORWARD of table ip filter instead of going to 10.0.0.1:22',
  ],
  [
    'a rule dropped it',
    { outcome: 'dropped', left: null, steps: [{ ...POLICY, handle: 3, rule: 'tcp dport 22 drop' }] },
    'it was dropped by a rule of chain FORWARD of table ip filter, tcp dport 22 drop, instead of going to 10.0.0.1:22',
  ],
  ['it was lost', { outcome: 'lost', left: null }, expect.stringMatching(/^it did not leave for 10\.0\.0\.1:22: /)],
])('a forward takes it, and %s', (_, differences, expected) => {
  expect(disagreement(TARGET, wayWith(differences))).toEqual(expected);
});

test.each<[string, Partial<KernelWay>, string | null]>([
  ['it goes on as it was', { left: ARRIVED }, null],
  ['it is delivered', { left: ARRIVED, outcome: 'delivered' }, null],
  ['somebody drops it', { left: null, outcome: 'dropped', steps: [POLICY] }, null],
  ['somebody leads it elsewhere', {}, 'it went to 10.0.0.1:22, though no forward takes it'],
])('no forward takes it, and %s', (_, differences, expected) => {
  expect(disagreement(null, wayWith(differences))).toBe(expected);
});

describe('of packet and answer there is one verdict', () => {
  const BACK: KernelWay = {
    arrived: { source: '10.0.0.1', sourcePort: 22, destination: '198.51.100.5', destinationPort: 4000 },
    from: 'qr-x',
    steps: [],
    outcome: 'forwarded',
    left: { source: '198.51.100.1', sourcePort: 5001, destination: '198.51.100.5', destinationPort: 4000 },
    to: 'qg-x',
  };

  test.each<[string, Partial<KernelWay>, KernelWay | null, boolean | null, string]>([
    ['both got through', {}, BACK, true, 'as compiled: the packet and its answer got through.'],
    ['no answer came', {}, null, null, 'no answer came to the router.'],
    [
      'a rule dropped the answer',
      {},
      { ...BACK, outcome: 'dropped', left: null, steps: [{ ...POLICY, handle: 3, rule: 'tcp sport 22 drop' }] },
      false,
      'but its answer did not get through: it was dropped by a rule of chain FORWARD of table ip filter, tcp sport 22 drop.',
    ],
    [
      'a policy dropped the answer',
      {},
      { ...BACK, outcome: 'dropped', left: null, steps: [POLICY] },
      false,
      'its answer did not get through: it was dropped by the policy of chain FORWARD of table ip filter.',
    ],
    ['the answer was lost', {}, { ...BACK, outcome: 'lost', left: null }, false, 'did not get through: it was lost, '],
    [
      'the answer was not translated back',
      {},
      { ...BACK, left: BACK.arrived },
      false,
      'its answer left from 10.0.0.1:22 instead of 198.51.100.1:5001',
    ],
    [
      'the packet was dropped',
      { outcome: 'dropped', left: null, steps: [POLICY] },
      null,
      false,
      'The kernel did something else than what was compiled: it was dropped by the policy',
    ],
  ])('%s', (_, way, reply, gotThrough, quoted) => {
    const verdict = verdictOn(TARGET, { way: wayWith(way), reply });
    expect(verdict.gotThrough).toBe(gotThrough);
    expect(verdict.text).toContain(quoted);
  });

  test('no forward takes it, and a rule drops it', () => {
    const way = wayWith({ left: null, outcome: 'dropped', steps: [POLICY] });
    const { gotThrough, text } = verdictOn(null, { way, reply: null });
    expect(gotThrough).toBe(false);
    expect(text).toBe(
      'The kernel did as compiled: no forward takes the packet. It did not get through: it was dropped by the policy of chain FORWARD of table ip filter.',
    );
  });
});
