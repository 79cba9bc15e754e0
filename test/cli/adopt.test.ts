import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AdoptionPlan, ForeignRule, Removal } from '../../src/model/adoption.ts';
import { parseForwardSpec } from '../../src/model/forward.ts';
import { liveNode, publish, ROUTER, report } from '../api/api-under-test.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

const RULE: ForeignRule = { instance: 'qrouter-1', program: 'iptables-nft', text: '-A PREROUTING -j FIRST' };
const PLAN: AdoptionPlan = {
  forwards: [
    parseForwardSpec({ router: ROUTER, external_port: 5001, internal_address: '10.0.0.5', internal_port: 22 }),
  ],
  rules: [{ ...RULE, present: [], created: [0] }],
  left: [],
  bypassed: [],
  addresses: [],
  unread: [],
  owners: ['Docker', 'Docker'],
};
const SHOWN = `+ ${ROUTER.slice(0, 8)} gateway:5001/tcp -> 10.0.0.5:22
- qrouter-1: iptables-nft: -A PREROUTING -j FIRST
2 rules are of Docker, and stay with it
1 forward to make, 1 rule to remove, 0 not taken over
`;

let cli: CliBench;
let plan: AdoptionPlan;
let removal: Removal;
let removed: ForeignRule[];
let stop: () => void;

beforeEach(async () => {
  plan = PLAN;
  removal = { outcome: 'removed', reason: null };
  removed = [];
  cli = await openCliBench({
    adoption: {
      plan: async () => plan,
      remove: async (rules) => {
        removed.push(...rules);
        return rules.map(() => removal);
      },
    },
  });
  await publish(cli.registry, report(0));
  stop = liveNode(cli.registry);
});

afterEach(async () => {
  stop();
  await cli[Symbol.asyncDispose]();
});

test('shows the plan, and changes nothing where nobody can be asked', async () => {
  const { stdout, stderr, exit } = await cli.run('adopt');
  expect({ stdout, stderr, exit }).toEqual({
    stdout: SHOWN,
    stderr: 'hatoba: nothing was changed; --yes carries it out\n',
    exit: 0,
  });
  expect(cli.registry.forwards.list()).toEqual([]);
  expect(removed).toEqual([]);
});

test.each(['', 'n', 'no', 'yess'])('changes nothing after the answer %j', async (answer) => {
  const { stderr, exit } = await cli.answer(answer, 'adopt');
  expect(stderr).toBe('take over this rule? [y/N] hatoba: nothing was changed\n');
  expect(exit).toBe(0);
  expect(removed).toEqual([]);
});

test.each([
  ['y', 'adopt'],
  ['YES', 'adopt'],
  ['', 'adopt', '--yes'],
  ['', 'adopt', '-y', '--router', ROUTER.slice(0, 12)],
])('carries it out (answer %j, %s %s)', async (answer, ...words) => {
  const { stdout, exit } = await cli.answer(answer, ...words);
  expect(masked(stdout)).toBe(`${SHOWN}1 forward made, 1 rule removed after <time>\n`);
  expect(exit).toBe(0);
  expect(removed).toEqual([expect.objectContaining(RULE)]);
});

test('asks nothing where there is nothing to take over', async () => {
  plan = { ...PLAN, forwards: [], rules: [], owners: [] };
  const { stdout, stderr, exit } = await cli.answer('y', 'adopt');
  expect({ stdout, stderr, exit }).toEqual({
    stdout: '0 forwards to make, 0 rules to remove, 0 not taken over\n',
    stderr: '',
    exit: 0,
  });
});

test('names rules that are not taken over, and ends with an error', async () => {
  plan = { ...PLAN, left: [{ ...RULE, text: '-A PREROUTING -j ODD\u001b', reason: 'it is odd' }] };
  const { stdout, stderr, exit } = await cli.run('adopt', '--yes');
  expect(stdout).toContain('! qrouter-1: iptables-nft: it is odd\n    -A PREROUTING -j ODD\\u001b\n');
  expect(stderr).toContain('1 of 2 DNAT rules stay as they are');
  expect(exit).toBe(1);
  expect(removed).toHaveLength(1);
});

test('names rules that stay because their forwards are not active or they could not be removed', async () => {
  removal = { outcome: 'failed', reason: 'the lock is held' };
  const { stdout, exit } = await cli.run('adopt', '--yes');
  expect(stdout).toContain('! qrouter-1: iptables-nft: the lock is held\n    -A PREROUTING -j FIRST\n');
  expect(masked(stdout)).toContain('1 forward made, 0 rules removed, 1 stay after <time>');
  expect(exit).toBe(1);
});

test('says what could not be read', async () => {
  plan = { ...PLAN, unread: ['qrouter-1: iptables-legacy-save: it is not installed'] };
  const { stdout, stderr, exit } = await cli.run('adopt');
  expect(stdout).toContain('! qrouter-1: iptables-legacy-save: it is not installed\n');
  expect(stderr).toContain('not all rules could be read');
  expect(exit).toBe(1);
});

test('prints one document, of the plan or of what was done', async () => {
  const planned = JSON.parse((await cli.run('adopt', '-o', 'json')).stdout);
  expect(planned).toMatchObject({ dry_run: true, rules: [{ outcome: 'planned' }] });
  const done = JSON.parse((await cli.run('adopt', '--yes', '-o', 'json')).stdout);
  expect(done).toMatchObject({ dry_run: false, plan: planned.plan, rules: [{ outcome: 'removed' }] });
  plan = { ...PLAN, forwards: [], rules: [] };
  expect(JSON.parse((await cli.run('adopt', '--yes', '-o', 'json')).stdout)).toMatchObject({ rules: [] });
});

test.each([
  ['n', 'planned', 0],
  ['y', 'removed', 1],
] as const)(
  'prints one document, too, where somebody is asked, who sees the plan beside it (%s)',
  async (answer, outcome, count) => {
    const { stdout, stderr } = await cli.answer(answer, 'adopt', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ rules: [{ outcome }] });
    expect(stderr).toContain(`${SHOWN}take over this rule? [y/N] `);
    expect(removed).toHaveLength(count);
  },
);

test('rules that packets of the forwards no longer come to are named, and the exit code tells of them', async () => {
  plan = { ...PLAN, bypassed: [{ ...RULE, text: '-A PREROUTING -j LOG', reason: 'they pass it by' }] };
  const { stdout, stderr, exit } = await cli.run('adopt', '--yes');
  expect(stdout).toContain('! qrouter-1: iptables-nft: they pass it by\n    -A PREROUTING -j LOG\n');
  expect(stdout).toContain('1 forward made, 1 rule removed');
  expect(stderr).toContain('hatoba: rules that packets of forwards no longer come to: 1\n');
  expect(exit).toBe(1);
});
