import fc from 'fast-check';
import { CLIENT, GATEWAY, INSIDE, INSTANCE, OUTSIDE } from '../../support/network.ts';
import { SECOND } from '../second-outside.ts';

/** Rules at any hook, by any program. */
export interface RandomRuleset {
  /** For `nft -f`. */
  readonly nft: string;
  readonly iptables: readonly RandomTable[];
  /** Whether there is nothing among them of which the outcome cannot be known beforehand, such as a limit. */
  readonly isKnown: boolean;
}

export interface RandomTable {
  /** `iptables-nft`, `ip6tables-legacy`, … */
  readonly program: string;
  /** For its `-restore`. */
  readonly text: string;
}

interface Part {
  readonly text: string;
  readonly isKnown: boolean;
}

const known = (...texts: readonly string[]) => fc.constantFrom(...texts).map((text): Part => ({ text, isKnown: true }));
const unknown = (...texts: readonly string[]) =>
  fc.constantFrom(...texts).map((text): Part => ({ text, isKnown: false }));

type NftFamily = 'inet' | 'ip' | 'ip6' | 'netdev';

const ANY = [
  'tcp dport 80',
  'tcp dport 8080',
  'tcp sport 8080',
  'tcp sport 80',
  'udp dport 53',
  'tcp flags syn / fin,syn,rst,ack',
  'meta l4proto tcp',
  'meta l4proto udp',
  'meta mark 0x1',
  'meta mark & 0x3 == 0x1',
  'meta mark != 0x0',
  'meta mark { 0x1, 0x2 }',
] as const;
const FOUR = [
  `ip saddr ${CLIENT[4]}`,
  `ip daddr ${INSTANCE[4]}`,
  `ip daddr ${GATEWAY[4]}`,
  `ip saddr != 10.20.0.0/24`,
  `ip daddr { 10.20.0.1-10.20.0.9, 198.51.100.0/25 }`,
] as const;
const SIX = [`ip6 daddr ${INSTANCE[6]}`, 'ip6 saddr 2001:db8:100::/64', `ip6 daddr != ${GATEWAY[6]}`] as const;
const LINKS = [
  `iifname "${OUTSIDE}"`,
  `iifname "qr-*"`,
  `iifname != "${SECOND}"`,
  `oifname "${INSIDE}"`,
  `oifname != "${OUTSIDE}"`,
  `iifname . oifname { "${OUTSIDE}" . "${INSIDE}", "${INSIDE}" . "${OUTSIDE}" }`,
] as const;
const TRACKED = [
  'ct state new',
  'ct state established,related',
  'ct state != new',
  'ct state { new, established }',
  'ct state invalid',
  'ct direction reply',
  'ct status dnat',
  'ct status snat',
  `ct original ip daddr ${GATEWAY[4]}`,
  'meta l4proto tcp ct original proto-dst 80',
  'ct mark 0x1',
  'ct mark & 0x2 == 0x2',
  'meta mark set ct mark',
  'ct mark set meta mark',
  'ct mark set 0x1',
  'ct mark set ct mark or 0x2',
] as const;
const MARKS = ['meta mark set 0x1', 'meta mark set meta mark or 0x2', 'meta mark set meta mark and 0x1'] as const;

/** What a rule of nft begins with: conditions, and marks that it sets. */
function nftPart(family: NftFamily): fc.Arbitrary<Part> {
  const addresses = [...(family === 'ip6' ? [] : FOUR), ...(family === 'ip' ? [] : SIX)];
  const all = [...ANY, ...addresses, ...MARKS, ...(family === 'netdev' ? [] : [...LINKS, ...TRACKED])];
  return fc.oneof(
    { weight: 20, arbitrary: known(...all) },
    {
      weight: 1,
      arbitrary: unknown('limit rate over 1000/second', 'quota over 100 mbytes', 'numgen random mod 2 == 0'),
    },
  );
}

function nftRule(family: NftFamily): fc.Arbitrary<Part> {
  const verdict = fc.constantFrom(
    'accept',
    'accept',
    'drop',
    'drop',
    'drop',
    'jump inner',
    'goto inner',
    'return',
    'counter',
  );
  const mapped = known(
    'tcp dport vmap { 80 : accept, 8080 : drop, 81 : jump inner }',
    'meta mark vmap { 0x0 : continue, 0x1 : drop }',
    ...(family === 'netdev' ? [] : ['ct state vmap { new : accept, established : jump inner, invalid : drop }']),
  );
  const plain = fc
    .tuple(fc.array(nftPart(family), { maxLength: 2 }), verdict)
    .map(([parts, end]) => together([...parts, { text: end, isKnown: true }], ' '));
  return fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: mapped });
}

/** Hooks with priorities at and around those of connection tracking, ours and translation. */
const HOOK_PLACES: Readonly<Record<'layer3' | 'netdev', readonly string[]>> = {
  layer3: [
    ...[-350, -250, -200, -199, -150, -120, -110, -105, -100, -99, 0].map(
      (priority) => `prerouting priority ${priority}`,
    ),
    ...['input', 'output', 'forward', 'forward'].map((hook) => `${hook} priority 0`),
    'output priority -250',
    'forward priority -150',
    'input priority 101',
    ...[-150, 0, 99, 100, 101, 300].map((priority) => `postrouting priority ${priority}`),
  ],
  netdev: [
    ...[OUTSIDE, INSIDE, SECOND].flatMap((link) =>
      ['ingress', 'egress'].map((hook) => `${hook} device "${link}" priority 0`),
    ),
    `ingress devices = { "${OUTSIDE}", "${INSIDE}" } priority -5`,
  ],
};

function nftTable(number: number): fc.Arbitrary<Part> {
  return fc.constantFrom<NftFamily>('inet', 'inet', 'inet', 'ip', 'ip', 'ip6', 'netdev', 'netdev').chain((family) =>
    fc
      .record({
        place: fc.constantFrom(...HOOK_PLACES[family === 'netdev' ? 'netdev' : 'layer3']),
        policy: fc.constantFrom('accept', 'accept', 'drop'),
        rules: fc.array(nftRule(family), { minLength: 1, maxLength: 5 }),
        inner: fc.array(nftRule(family).map(withoutCalls), { maxLength: 2 }),
      })
      .map(({ place, policy, rules, inner }) => {
        const lines = (parts: readonly Part[]) => parts.map(({ text }) => `  ${text}`);
        const head = `  type filter hook ${place}; policy ${policy};`;
        const body = [' chain inner {', ...lines(inner), ' }', ' chain first {', head, ...lines(rules), ' }'];
        const text = [`table ${family} random${number} {`, ...body, '}', ''].join('\n');
        return { text, isKnown: [...rules, ...inner].every((rule) => rule.isKnown) };
      }),
  );
}

/** Chains that lead to themselves are refused. */
function withoutCalls({ text, isKnown }: Part): Part {
  return { text: text.replaceAll(/(jump|goto) inner/g, 'accept'), isKnown };
}

/** Chains that translate, ahead of ours and behind it. */
const nftNat: fc.Arbitrary<Part> = known(
  'type nat hook prerouting priority -120; policy accept; tcp dport 80 redirect to :82',
  'type nat hook prerouting priority -120; policy drop; tcp dport 80 accept',
  'type nat hook prerouting priority -90; policy drop; tcp dport 80 redirect to :82',
  `type nat hook postrouting priority 90; policy accept; oifname "${INSIDE}" masquerade`,
  `type nat hook postrouting priority 120; policy drop; ct state new oifname "${INSIDE}" accept`,
).map(({ text, isKnown }) => {
  return { text: `table inet random9 {\n chain first {\n  ${text.replaceAll('; ', ';\n  ')}\n }\n}\n`, isKnown };
});

/** Hooks of iptables' tables. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

const INCOMING = ['PREROUTING', 'INPUT', 'FORWARD'];
const OUTGOING = ['FORWARD', 'OUTPUT', 'POSTROUTING'];

function iptablesMatches(family: 4 | 6, chain: string): fc.Arbitrary<Part> {
  const [client, instance, gateway] = [CLIENT, INSTANCE, GATEWAY].map((address) => address[family]);
  return fc.oneof(
    {
      weight: 20,
      arbitrary: known(
        '-p tcp -m tcp --dport 80',
        '-p tcp -m multiport --dports 80,8080',
        '-p tcp -m tcp --sport 8080',
        '-p udp -m udp --dport 53',
        '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN',
        '-p tcp -m tcp ! --tcp-flags SYN,ACK SYN,ACK',
        `-s ${client}`,
        `! -s ${instance}`,
        `-d ${instance}`,
        `-d ${gateway}`,
        '-m conntrack --ctstate NEW',
        '-m conntrack --ctstate RELATED,ESTABLISHED',
        '-m conntrack ! --ctstate NEW',
        '-m conntrack --ctstate DNAT',
        '-m conntrack --ctstate INVALID',
        '-m mark --mark 0x1',
        '-m mark ! --mark 0x0/0x3',
        '-m connmark --mark 0x1',
        ...(INCOMING.includes(chain) ? [`-i ${OUTSIDE}`, `! -i qr-+`, `-i ${SECOND}`] : []),
        ...(OUTGOING.includes(chain) ? [`-o ${INSIDE}`, `! -o ${OUTSIDE}`] : []),
      ),
    },
    { weight: 4, arbitrary: known('') },
    { weight: 1, arbitrary: unknown('-m limit --limit 1000/sec', '-m statistic --mode random --probability 0.5') },
  );
}

/** `-j …`, as far as the table takes it. */
function iptablesTarget(table: string): fc.Arbitrary<string> {
  const more: Readonly<Record<string, readonly string[]>> = {
    raw: ['-j CT --notrack'],
    mangle: [
      '-j MARK --set-xmark 0x1/0xffffffff',
      '-j MARK --set-xmark 0x2/0x2',
      '-j CONNMARK --save-mark',
      '-j CONNMARK --restore-mark',
      '-j CONNMARK --set-xmark 0x1/0xffffffff',
    ],
    filter: ['-j REJECT'],
  };
  const all = [
    '-j ACCEPT',
    '-j ACCEPT',
    '-j DROP',
    '-j RETURN',
    '-j inner',
    '-g inner',
    '-j LOG',
    ...(more[table] ?? []),
  ];
  return fc.constantFrom(...all);
}

function iptablesRule(family: 4 | 6, table: string, chain: string): fc.Arbitrary<Part> {
  return fc
    .tuple(iptablesMatches(family, chain), iptablesTarget(table))
    .map(([match, target]) => ({ ...match, text: `-A ${chain} ${match.text} ${target}` }));
}

function iptablesTable(variant: 'nft' | 'legacy'): fc.Arbitrary<RandomTable & { readonly isKnown: boolean }> {
  const place = fc.record({
    family: fc.constantFrom<4 | 6>(4, 4, 6),
    table: fc.constantFrom(...Object.keys(CHAINS)),
    closed: fc.boolean(),
  });
  return place.chain(({ family, table, closed }) =>
    fc.constantFrom(...(CHAINS[table] ?? [])).chain((chain) =>
      fc
        .tuple(
          fc.array(iptablesRule(family, table, chain), { minLength: 1, maxLength: 5 }),
          fc.array(iptablesRule(family, table, 'inner').map(inCall), { maxLength: 2 }),
        )
        .map(([rules, inner]) => {
          const lines = [...rules, ...inner].map(({ text }) => text);
          const head = [`*${table}`, `:${chain} ${closed ? 'DROP' : 'ACCEPT'} [0:0]`, ':inner - [0:0]'];
          return {
            program: `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}`,
            text: [...head, ...lines, 'COMMIT', ''].join('\n'),
            isKnown: [...rules, ...inner].every(({ isKnown }) => isKnown),
          };
        }),
    ),
  );
}

function inCall({ text, isKnown }: Part): Part {
  return { text: text.replace(/-[jg] inner/, '-j ACCEPT'), isKnown };
}

function together(parts: readonly Part[], separator: string): Part {
  return { text: parts.map(({ text }) => text).join(separator), isKnown: parts.every(({ isKnown }) => isKnown) };
}

/** One table of each program at the most, since a second one would take the place of the first. */
export const randomRulesets: fc.Arbitrary<RandomRuleset> = fc
  .record({
    first: fc.option(nftTable(1), { freq: 3 }),
    second: fc.option(nftTable(2), { freq: 1 }),
    nat: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: nftNat }),
    byNft: fc.option(iptablesTable('nft'), { freq: 1 }),
    legacy: fc.option(iptablesTable('legacy'), { freq: 1 }),
  })
  .map(({ first, second, nat, byNft, legacy }) => {
    const nft = [first, second, nat].filter((part) => part !== null);
    const iptables = [byNft, legacy].filter((table) => table !== null);
    return {
      nft: nft.map(({ text }) => text).join(''),
      iptables: iptables.map(({ program, text }) => ({ program, text })),
      isKnown: [...nft, ...iptables].every(({ isKnown }) => isKnown),
    };
  });
