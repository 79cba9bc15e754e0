import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { forwardsOfDump } from '../../src/interchange/iptables-forwards.ts';
import { printIptables } from '../../src/interchange/iptables-print.ts';
import { parseAddress } from '../../src/model/address.ts';
import { type ForwardInput, parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';
import { plainChains, printChains, TARGET_NAMES } from '../interchange/plain-rules.ts';
import { forwardInput } from '../model/arbitraries.ts';
import { runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';

const OPTIONS = { file: 'dump', router: 'r1' };
const EMPTY = '*nat\nCOMMIT\n';

let namespaces: Namespaces;
let router: string;
beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
});
afterAll(async () => {
  await namespaces?.[Symbol.asyncDispose]();
});

/** `protocol address:ports from sources -> address:ports`. */
function print(input: ForwardInput): string {
  const { protocol, external_address, external_port, sources, internal_address, internal_port, description } =
    printForwardSpec(parseForwardSpec(input));
  const from = sources.length === 0 ? '' : ` from ${sources.join(' ')}`;
  const comment = description === null ? '' : ` (${description})`;
  return `${protocol} ${external_address} ${external_port}${from} -> ${internal_address} ${internal_port}${comment}`;
}

/** As users type them; what comes behind is the reason why a rule is not taken over, or the forwards that it becomes. */
const FOUR: readonly (readonly [rule: string, outcome: readonly string[] | string])[] = [
  ['-d 192.0.2.1 -p tcp --dport 1 -j DNAT --to 10.0.0.5:8080', ['tcp 192.0.2.1 1 -> 10.0.0.5 8080']],
  [
    '-d 192.0.2.1 -p tcp --dport 10:15 -j DNAT --to 10.0.0.5:8080-8085/10',
    ['tcp 192.0.2.1 10-15 -> 10.0.0.5 8080-8085'],
  ],
  ['-d 192.0.2.1 -p tcp --dport 20:25 -j DNAT --to 10.0.0.5:20-25', ['tcp 192.0.2.1 20-25 -> 10.0.0.5 20-25']],
  ['-d 192.0.2.1 -p tcp --dport 30:35 -j DNAT --to 10.0.0.5:8080', ['tcp 192.0.2.1 30-35 -> 10.0.0.5 8080']],
  [
    '-d 192.0.2.1 -p tcp -m multiport --dports 40,41,45:46 -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 40 -> 10.0.0.5 40', 'tcp 192.0.2.1 41 -> 10.0.0.5 41', 'tcp 192.0.2.1 45-46 -> 10.0.0.5 45-46'],
  ],
  ['-d 192.0.2.1 -p sctp --dport 50 -j DNAT --to 10.0.0.5:51', ['sctp 192.0.2.1 50 -> 10.0.0.5 51']],
  ['-d 192.0.2.1 -p udplite -m multiport --dports 60 -j DNAT --to 10.0.0.5', ['udplite 192.0.2.1 60 -> 10.0.0.5 60']],
  [
    '-s 198.51.100.0/24,203.0.113.9 -d 192.0.2.1 -p tcp --dport 70 -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 70 from 198.51.100.0/24 203.0.113.9/32 -> 10.0.0.5 70'],
  ],
  [
    '! -s 128.0.0.0/1 -d 192.0.2.1 -p tcp --dport 71 -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 71 from 0.0.0.0/1 -> 10.0.0.5 71'],
  ],
  [
    '-m iprange --src-range 198.51.100.2-198.51.100.5 -d 192.0.2.1 -p tcp --dport 72 -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 72 from 198.51.100.2/31 198.51.100.4/31 -> 10.0.0.5 72'],
  ],
  [
    '-d 192.0.2.1 -p tcp --dport 80 -m comment --comment "say \\"hi\\", it\'s -j \\\\" -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 80 -> 10.0.0.5 80 (say "hi", it\'s -j \\)'],
  ],
  [
    '-d 192.0.2.1 -p tcp --dport 81 -m comment --comment "-x" -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.1 81 -> 10.0.0.5 81 (-x)'],
  ],
  [
    '-d 192.0.2.1 -p tcp --dport 82 -m comment --comment "日本" -j DNAT --to 10.0.0.5 --random --persistent',
    ['tcp 192.0.2.1 82 -> 10.0.0.5 82 (日本)'],
  ],
  [
    '-d 192.0.2.2 -p udp -m multiport ! --dports 80,443 -j DNAT --to 10.0.0.5',
    [
      'udp 192.0.2.2 1-79 -> 10.0.0.5 1-79',
      'udp 192.0.2.2 81-442 -> 10.0.0.5 81-442',
      'udp 192.0.2.2 444-65535 -> 10.0.0.5 444-65535',
    ],
  ],
  ['-d 192.0.2.2 -p udp --dport 443 -j LOG --log-prefix "a \\"b\\" "', []],
  [
    '-d 192.0.2.2 -p udp -j DNAT --to 10.0.0.6',
    ['udp 192.0.2.2 80 -> 10.0.0.6 80', 'udp 192.0.2.2 443 -> 10.0.0.6 443'],
  ],
  ['-d 192.0.2.2 -p udp --dport 80 -j DNAT --to 10.0.0.7', 'comes first, and takes all its packets'],
  ['-d 192.0.2.3 -j mine', []],
  ['-d 192.0.2.4 -p tcp --dport 20:25 -j DNAT --to 10.0.0.5:30-35', 'without an offset behind them'],
  ['-d 192.0.2.4 -p tcp --dport 26 -j DNAT --to 10.0.0.5-10.0.0.9:80-90 --persistent', 'it spreads connections'],
  ['-d 192.0.2.4 -p tcp --dport 27:29 -j DNAT --to 10.0.0.5:27-29 --random', '--random chooses'],
  ['-d 192.0.2.4 -p tcp --dport 30 -i qg-+ -j DNAT --to 10.0.0.5', 'it is for packets by certain interfaces (-i qg-+)'],
  [
    '-d 192.0.2.4 -p tcp --dport 31 ! -i qr-x -j DNAT --to 10.0.0.5',
    'it is for packets by certain interfaces (! -i qr-x)',
  ],
  [
    '-d 192.0.2.4 -p tcp --dport 32 --syn -j DNAT --to 10.0.0.5',
    'a forward has no condition like --tcp-flags FIN,SYN,RST,ACK SYN',
  ],
  [
    '-d 192.0.2.4 -p tcp --dport 33 -m conntrack --ctstate NEW -j DNAT --to 10.0.0.5',
    ['tcp 192.0.2.4 33 -> 10.0.0.5 33'],
  ],
  ['-d 192.0.2.4 -p tcp --dport 37 -m state --state NEW -j DNAT --to 10.0.0.5', ['tcp 192.0.2.4 37 -> 10.0.0.5 37']],
  [
    '-d 192.0.2.4 -p tcp --dport 38 -m conntrack ! --ctstate NEW -j DNAT --to 10.0.0.5',
    'a forward has no condition like ! --ctstate NEW',
  ],
  [
    '-d 192.0.2.4 -p tcp --dport 34 -m mark ! --mark 0x1/0xff -j DNAT --to 10.0.0.5',
    'a forward has no condition like ! --mark 0x1/0xff',
  ],
  ['-d 192.0.2.4 -p tcp --dport 35 --sport 5 -j DNAT --to 10.0.0.5', 'a forward has no condition like --sport 5'],
  ['-d 192.0.2.4 -p tcp --dport 36 -j REDIRECT --to-ports 8080', 'REDIRECT leads to the router itself'],
  ['-d 192.0.2.5 -j DNAT --to 10.0.0.5', 'it is not only for protocols that have ports'],
  ['-d 192.0.2.6 ! -p tcp -j DNAT --to 10.0.0.5', 'it is not only for protocols that have ports'],
  ['-d 192.0.2.8/29 -p tcp -j DNAT --to 10.0.0.5', 'it is for several addresses'],
  [
    '-d 192.0.2.16/255.0.255.248 -p tcp --dport 9999 -j DNAT --to 10.0.0.5',
    'a forward has no condition like -d 192.0.2.16/255.0.255.248',
  ],
  ['-d 192.0.2.7 -p tcp --dport 1 -m socket -j DNAT --to 10.0.0.5', 'a forward has no condition like -m socket'],
  ['-p tcp --dport 9 -j DNAT --to 10.0.0.5', 'it is for every address (no -d)'],
];

const SIX: typeof FOUR = [
  ['-d 2001:db8::1 -p tcp --dport 1 -j DNAT --to [fd00::5]:8080', ['tcp 2001:db8::1 1 -> fd00::5 8080']],
  [
    '-d 2001:db8::1 -p tcp --dport 10:15 -j DNAT --to [fd00::5]:8080-8085/10',
    ['tcp 2001:db8::1 10-15 -> fd00::5 8080-8085'],
  ],
  ['-d 2001:db8::1 -p udp -j DNAT --to fd00::5', ['udp 2001:db8::1 1-65535 -> fd00::5 1-65535']],
  [
    '-s 2001:db8:9::/48 -d 2001:db8::1 -p sctp --dport 7 -j DNAT --to fd00::5',
    ['sctp 2001:db8::1 7 from 2001:db8:9::/48 -> fd00::5 7'],
  ],
  ['! -s 8000::/1 -d 2001:db8::2 -p tcp --dport 7 -j DNAT --to fd00::5', ['tcp 2001:db8::2 7 from ::/1 -> fd00::5 7']],
  ['-d 2001:db8::3 -p tcp --dport 7 -j DNAT --to fd00::5-fd00::9', 'it spreads connections'],
  ['-d 2001:db8::4 -p tcp --dport 7 -m frag -j DNAT --to fd00::5', 'a forward has no condition like -m frag'],
  ['-d 2001:db8::4 -p tcp -m eui64 -m tcp --dport 8 -j DNAT --to fd00::5', 'a forward has no condition like -m eui64'],
];

/** Rules of the chain `mine`, of which the second is not met, and one that no packet from elsewhere meets. */
const ELSEWHERE = [
  '-A mine -p tcp -m tcp --dport 1:5 -j RETURN',
  '-A mine -p tcp -m tcp --dport 1:9 -j DNAT --to-destination 10.0.0.5',
  '-A OUTPUT -d 192.0.2.1 -p tcp --dport 1 -j DNAT --to 10.0.0.5:8080',
];

describe.each([
  ['iptables-nft', 'ip6tables-nft'],
  ['iptables-legacy', 'ip6tables-legacy'],
])('what %s and %s print', (four, six) => {
  afterEach(async () => {
    for (const program of [four, six]) await runIn(router, `${program}-restore`, [], EMPTY);
  });

  async function saved(program: string, rules: typeof FOUR, more: readonly string[], ...flags: readonly string[]) {
    const lines = rules.map(([rule]) => `-A PREROUTING ${rule}`);
    const chains = ':mine - [0:0]';
    await runIn(router, `${program}-restore`, [], ['*nat', chains, ...lines, ...more, 'COMMIT', ''].join('\n'));
    return runIn(router, `${program}-save`, flags);
  }

  function expectOutcomes(
    text: string,
    rules: typeof FOUR,
    extra: readonly string[],
    reasons: readonly string[],
  ): void {
    const { taken, left } = forwardsOfDump(text, OPTIONS);
    const wanted = rules.flatMap(([, outcome]) => (typeof outcome === 'string' ? [] : outcome));
    expect(taken.map(({ forward }) => print(forward))).toEqual(
      [...wanted, ...extra].toSorted(byPlaceIn(taken.map(({ forward }) => print(forward)))),
    );
    const wantedReasons = [
      ...rules.flatMap(([, outcome]) => (typeof outcome === 'string' ? [outcome] : [])),
      ...reasons,
    ];
    expect(left).toHaveLength(wantedReasons.length);
    for (const reason of wantedReasons) expect(left.some((rule) => rule.reason.includes(reason))).toBe(true);
  }

  test.each([[[]], [['-c']], [['-t', 'nat']]])('IPv4, saved with %j', async (flags) => {
    const text = await saved(four, FOUR, ELSEWHERE, ...flags);
    expect(text.match(/-j DNAT/g)?.length).toBeGreaterThan(30);
    expectOutcomes(text, FOUR, ['tcp 192.0.2.3 6-9 -> 10.0.0.5 6-9'], ['it is for packets of the router itself']);
  });

  test('IPv6', async () => {
    expectOutcomes(await saved(six, SIX, []), SIX, [], []);
  });

  test('random rules mean the same before and after they were in the kernel', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(plainChains, async (chains) => {
        const spelled = printChains(chains, { names: TARGET_NAMES, isSpelled: true });
        const text = spelled.text.replaceAll('-j XYZZY', '-j LOG');
        await runIn(router, `${four}-restore`, [], text);
        const back = await runIn(router, `${four}-save`, ['-t', 'nat']);
        const [typed, printed] = [text, back].map((dump) => forwardsOfDump(dump, OPTIONS));
        expect(printed?.taken.map(({ forward }) => forward)).toEqual(typed?.taken.map(({ forward }) => forward));
        const reasons = (left: readonly { reason: string }[] = []) =>
          left.map(({ reason }) => reason.replaceAll(/line [\d, ]+/g, 'line '));
        expect(reasons(printed?.left)).toEqual(reasons(typed?.left));
        expect(printed?.bypassed.length).toBe(typed?.bypassed.length);
        count += printed?.taken.length ?? 0;
      }),
      { numRuns: 40 },
    );
    expect(count).toBeGreaterThan(0);
  });

  test('takes what export prints, and gives it back', async () => {
    const gateways = { 4: parseAddress('203.0.113.1'), 6: parseAddress('2001:db8::1') };
    let rules = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(forwardInput, { minLength: 5, maxLength: 10 }), async (inputs) => {
        // Not every kernel still knows DCCP.
        const known = inputs.filter(({ protocol }) => protocol !== 'dccp');
        const specs = known.map((input) => parseForwardSpec({ ...input, enabled: true, expires_at: null }));
        for (const [program, family] of [
          [four, 4],
          [six, 6],
        ] as const) {
          const text = printIptables(specs, family, gateways);
          await runIn(router, `${program}-restore`, ['--test'], text);
          await runIn(router, `${program}-restore`, [], text);
          const back = await runIn(router, `${program}-save`, ['-t', 'nat']);
          const [printed, kept] = [text, back].map((dump) => forwardsOfDump(dump, { ...OPTIONS, gateways }));
          expect(kept?.taken.map(({ forward }) => forward)).toEqual(printed?.taken.map(({ forward }) => forward));
          rules += kept?.taken.length ?? 0;
        }
      }),
      { numRuns: 25 },
    );
    expect(rules).toBeGreaterThan(50);
  });
});

/** The order of another list, in which the same things are. */
function byPlaceIn(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
