import { expect, test } from 'vitest';
import { type Collector, createCollector } from '../../../../src/dataplane/linux/live/collector.ts';
import { parseRuleset } from '../../../../src/dataplane/linux/live/ruleset.ts';
import { isOfKnownFlow, wayOf } from '../../../../src/dataplane/linux/live/ways.ts';
import type { TraceMessage } from '../../../../src/kernel/nft/nft-trace.ts';
import type { PacketEnds } from '../../../../src/model/observation.ts';

const WATCH = 'hatoba_watch_1';
const RULESET = parseRuleset(`table ip nat { # handle 1
	chain PREROUTING { # handle 1
		type nat hook prerouting priority -100; policy accept;
		tcp dport 80 dnat to 10.0.0.1 # handle 4
	}
}
`);

const ASKED: PacketEnds = {
  source: '198.51.100.5',
  sourcePort: 4000,
  destination: '198.51.100.1',
  destinationPort: 80,
};
const LED: PacketEnds = { ...ASKED, destination: '10.0.0.1' };
const ANSWER: PacketEnds = { source: '10.0.0.1', sourcePort: 80, destination: '198.51.100.5', destinationPort: 4000 };

function told(id: number, table: string, chain: string, differences: Partial<TraceMessage> = {}): TraceMessage {
  const nothing = { handle: null, ends: null, from: null, to: null, flow: null };
  return { id, family: 'inet', table, chain, kind: 'policy', verdict: 'accept', ...nothing, ...differences };
}

const mark = (id: number, chain: string, ends: PacketEnds, differences: Partial<TraceMessage> = {}) =>
  told(id, WATCH, chain, { kind: 'rule', handle: 1, verdict: 'continue', ends, from: 'qg-x', ...differences });
const translation = (id: number) =>
  told(id, 'nat', 'PREROUTING', { family: 'ip', kind: 'rule', handle: 4, ends: ASKED, from: 'qg-x' });
const leaving = (id: number, ends: PacketEnds) => told(id, WATCH, 'leaving', { ends, from: 'qg-x', to: 'qr-x' });

function collected(...messages: readonly TraceMessage[]): Collector {
  const collector = createCollector(WATCH);
  for (const message of messages) collector.take(message);
  return collector;
}

function requestWay(...messages: readonly TraceMessage[]) {
  const request = collected(...messages).request();
  return request && wayOf(request, WATCH, RULESET);
}

test('a packet from where it is marked to where it leaves', () => {
  const way = requestWay(
    translation(9),
    mark(1, 'arriving', ASKED),
    told(1, WATCH, 'arriving', { kind: 'rule', verdict: 'continue' }),
    translation(2),
    translation(1),
    told(1, 'hatoba', 'count_arriving', { kind: 'rule', verdict: 'continue' }),
    told(1, 'hatoba_watch_2', 'leaving', { ends: LED }),
    leaving(1, LED),
    translation(1),
  );
  expect(way).toEqual({
    arrived: ASKED,
    from: 'qg-x',
    steps: [
      {
        table: 'ip nat',
        chain: 'PREROUTING',
        base: { type: 'nat', hook: 'prerouting', priority: -100 },
        handle: 4,
        rule: 'tcp dport 80 dnat to 10.0.0.1',
        verdict: 'accept',
        ours: false,
      },
    ],
    outcome: 'forwarded',
    left: LED,
    to: 'qr-x',
  });
});

test.each([
  ['delivered', [told(1, WATCH, 'delivering', { ends: ASKED, from: 'qg-x' })], ASKED],
  ['dropped', [told(1, 'filter', 'FORWARD', { verdict: 'drop' }), leaving(1, LED)], null],
  ['lost', [translation(1)], null],
  ['lost', [told(1, 'filter', 'FORWARD', { kind: 'rule', handle: 3, verdict: 'queue' }), leaving(1, LED)], null],
] as const)('one that is %s', (outcome, messages, left) => {
  expect(requestWay(mark(1, 'arriving', ASKED), ...messages)).toMatchObject({ outcome, left, to: null });
});

test('one whose number another packet has next', () => {
  const collector = collected(mark(1, 'arriving', ASKED), mark(1, 'arriving', ASKED), leaving(1, LED));
  expect(collector.request()).toMatchObject({ isComplete: true, messages: [{ chain: 'arriving' }] });
});

test('one from the router itself', () => {
  expect(requestWay(mark(1, 'starting', ASKED, { from: null }), leaving(1, ASKED))).toMatchObject({ from: null });
});

test('the answer: of the same flow where the kernel tells flows, else to the same port', () => {
  const request = [mark(1, 'arriving', ASKED), leaving(1, LED)] as const;
  const other = { ...ANSWER, destinationPort: 4001 };
  const flow = (id: number) => ({ flow: { id, established: true } });
  const numbered = [mark(1, 'arriving', ASKED), { ...leaving(1, LED), ...flow(7) }] as const;
  expect(collected(mark(2, 'answering', ANSWER), ...request).reply()).toBeNull();
  expect(collected(...request, mark(2, 'answering', other)).reply()).toBeNull();
  expect(collected(...request, mark(2, 'answering', other), mark(3, 'answering', ANSWER)).reply()).toMatchObject({
    messages: [{ id: 3 }],
    isComplete: false,
  });
  expect(collected(...numbered, mark(2, 'answering', ANSWER, flow(8))).reply()).toBeNull();
  const answered = collected(...numbered, mark(2, 'answering', other, flow(7)), leaving(2, ANSWER));
  expect(answered.reply()).toMatchObject({ isComplete: true, messages: [{ id: 2 }, { id: 2 }] });
});

test('the answer to one that was masqueraded goes to another port', () => {
  const masqueraded = { ...LED, source: '10.0.0.254', sourcePort: 999 };
  const answer = { ...ANSWER, destination: '10.0.0.254', destinationPort: 999 };
  const collector = collected(mark(1, 'arriving', ASKED), leaving(1, masqueraded), mark(2, 'answering', answer));
  expect(collector.reply()).not.toBeNull();
});

test('whether its flow was known', () => {
  const isKnown = (...messages: readonly TraceMessage[]) => {
    const request = collected(mark(1, 'arriving', ASKED), ...messages).request();
    const way = request && wayOf(request, WATCH, RULESET);
    return request && way && isOfKnownFlow(request, way, RULESET);
  };
  expect(isKnown(translation(1), leaving(1, LED))).toBe(false);
  expect(isKnown(leaving(1, LED))).toBe(true);
  expect(isKnown(told(1, 'filter', 'FORWARD', { verdict: 'drop' }))).toBe(false);
  expect(isKnown({ ...leaving(1, LED), flow: { id: 1, established: true } })).toBe(true);
});
