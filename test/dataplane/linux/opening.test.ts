import { expect, test } from 'vitest';
import { readTables } from '../../../src/dataplane/linux/firewall/iptables-filter.ts';
import { openingScript } from '../../../src/dataplane/linux/opening/rules.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { isRule, type Rule, resolveForward } from '../../../src/program/rule.ts';

const JUMP = '-A FORWARD -m conntrack --ctstate DNAT -m comment --comment hatoba -j hatoba-forward';
const OPEN =
  '-A hatoba-forward -m conntrack --ctstate DNAT --ctproto 6 --ctorigdst 192.0.2.1 --ctorigdstport 80 -j ACCEPT';
const OTHERS = '-A FORWARD -s 203.0.113.0/24 -j REJECT --reject-with icmp-port-unreachable';

function rules(): readonly Rule[] {
  const spec = parseForwardSpec({
    router: 'r',
    external_address: '192.0.2.1',
    external_port: 80,
    internal_address: '10.0.0.1',
  });
  const rule = resolveForward({ ...spec, id: 'one', revision: 1, createdAt: '', updatedAt: '' }, {});
  return isRule(rule) ? [rule] : [];
}

/** What is to be done where FORWARD, whose policy is drop, has these rules. */
function scriptFor(forward: readonly string[], wanted: readonly Rule[] | null = rules()): string | null {
  const chains = [':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':OUTPUT ACCEPT [0:0]', ':hatoba-forward - [0:0]'];
  const text = ['*filter', ...chains, ...forward, OPEN, 'COMMIT', ''].join('\n');
  const [filter] = readTables(text, 4);
  return filter === undefined ? 'no table' : openingScript(filter, wanted, 4);
}

test('where our jump is the last rule, and the only one, nothing is to be done', () => {
  expect(scriptFor([JUMP])).toBeNull();
  expect(scriptFor([OTHERS, JUMP])).toBeNull();
});

test.each([
  ['what others have appended since stays before it', [JUMP, OTHERS], 1],
  ['one of two is too many', [JUMP, JUMP], 2],
  ['so is one of two with a rule between them', [JUMP, OTHERS, JUMP], 2],
  ['one that is missing is put there', [OTHERS], 0],
])('%s', (_, forward, removed) => {
  const lines = scriptFor(forward)?.split('\n') ?? [];
  expect(lines.filter((line) => line === JUMP.replace('-A ', '-D '))).toHaveLength(removed);
  expect(lines.filter((line) => line === JUMP)).toHaveLength(1);
  expect(lines.indexOf(JUMP)).toBeGreaterThan(lines.lastIndexOf(JUMP.replace('-A ', '-D ')));
});

test('all of them go where nothing is wanted', () => {
  const lines = scriptFor([JUMP, OTHERS, JUMP], null)?.split('\n') ?? [];
  expect(lines.filter((line) => line === JUMP.replace('-A ', '-D '))).toHaveLength(2);
  expect(lines).toContain('-X hatoba-forward');
  expect(lines.join('\n')).not.toContain('REJECT');
});
