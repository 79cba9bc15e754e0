import { describe, expect, test } from 'vitest';
import { elementsOf } from '../../../../src/dataplane/linux/nftables/elements.ts';
import { flowRules } from '../../../../src/dataplane/linux/nftables/flows.ts';
import { parseCidr } from '../../../../src/model/cidr.ts';
import { ruleOf } from '../../../program/programs.ts';

const element = { set: 'exact4', key: '192.0.2.1 . 6 . 80', value: '10.0.0.1 . 22', comment: '' };

describe('what elements say about flows', () => {
  test('a single port for anyone, and nothing of what only counts', () => {
    const elements = elementsOf(ruleOf(1, 'tcp', ['192.0.2.1', 80], ['10.0.0.1', 22]), { accounting: true });
    expect(elements).toHaveLength(3);
    expect(flowRules(elements)).toEqual([
      {
        protocol: 6,
        destination: { family: 4, text: '192.0.2.1' },
        ports: { first: 80, last: 80 },
        source: null,
        target: { family: 4, text: '10.0.0.1' },
        targetPorts: { first: 22, last: 22 },
      },
    ]);
  });

  test('a range that keeps its ports, for one source', () => {
    const rule = ruleOf(1, 'udp', ['2001:db8::1', '80-89'], ['fd00::1', '80-89'], '2001:db8:7::/48');
    const { family, first, last } = parseCidr('2001:db8:7::/48');
    expect(flowRules(elementsOf(rule, { accounting: false }))).toEqual([
      {
        protocol: 17,
        destination: { family: 6, text: '2001:db8::1' },
        ports: { first: 80, last: 89 },
        source: { family, first, last },
        target: { family: 6, text: 'fd00::1' },
        targetPorts: { first: 80, last: 89 },
      },
    ]);
  });

  test.each([
    ['a key of another type', { ...element, key: '0x00000001' }],
    ['a key with parts of other types', { ...element, key: '0x00000001 . 6 . 80' }],
    ['a source of another type', { ...element, key: '80 . 192.0.2.1 . 6 . 0x00000001' }],
    ['an interval of another type', { ...element, key: '0x00000001-0x00000002' }],
    ['a target of another type', { ...element, value: '0x00000002' }],
    ['no target', { ...element, value: '' }],
  ])('nothing, where a stranger’s map has the name of ours: %s', (_, strange) => {
    expect(flowRules([strange, element])).toEqual(flowRules([element]));
  });
});
