import fc from 'fast-check';

/** A network of up to eight addresses, by its first one and its size. */
interface Net {
  readonly first: number;
  readonly size: number;
  readonly isNegated: boolean;
}

type Target =
  | { readonly kind: 'dnat'; readonly host: number; readonly ports: readonly [number, number, number | null] | null }
  | { readonly kind: 'ACCEPT' | 'RETURN' | 'REDIRECT' | 'MARK' | 'LOG' | 'XYZZY' | 'none' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: 'one' | 'two' };

/** A rule as its maker thinks of it, apart from the code under test. */
interface PlainRule {
  readonly protocol: string | null;
  readonly destination: Net | null;
  readonly source: Net | null;
  readonly ports: readonly (readonly [number, number])[] | null;
  readonly notPorts: boolean;
  /** A condition that neither addresses, ports nor protocols tell. */
  readonly marked: boolean;
  readonly interface: string | null;
  readonly target: Target;
  /** Which of the ways to write it that iptables takes. */
  readonly spelling: number;
}

type ChainName = 'PREROUTING' | 'one' | 'two';
export type PlainChains = Readonly<Record<ChainName, readonly PlainRule[]>>;

export interface Packet {
  readonly protocol: string;
  readonly source: number;
  readonly destination: number;
  readonly port: number;
  readonly marked: boolean;
  readonly interface: string;
}

const negated = fc.constantFrom(false, false, false, false, false, false, false, true);

const rarely = fc.nat(15).map((number) => number === 0);

const net: fc.Arbitrary<Net> = fc
  .record({ size: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 4, 8), at: fc.nat(2), isNegated: negated })
  .map(({ size, at, isNegated }) => ({ size, first: at - (at % size), isNegated }));

const range = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 0, 1, 3))
  .map(([first, more]): [number, number] => [first, first + more]);

const dnat: fc.Arbitrary<Target> = fc.record({
  kind: fc.constant('dnat'),
  host: fc.integer({ min: 1, max: 3 }),
  ports: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 9 }).map((port): [number, number, null] => [port, port, null]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 3, max: 10 }),
          fc.option(fc.integer({ min: 1, max: 4 })),
        )
        .map(([first, more, base]): [number, number, number | null] => [first, first + more, base]),
    },
  ),
});

const other: fc.Arbitrary<Target> = fc.record({
  kind: fc.constantFrom(
    'ACCEPT',
    'RETURN',
    'RETURN',
    'RETURN',
    'RETURN',
    'REDIRECT',
    'REDIRECT',
    'MARK',
    'LOG',
    'XYZZY',
    'none',
  ),
});

function jumpTo(...chains: readonly ('one' | 'two')[]): fc.Arbitrary<Target> {
  return fc.record({ kind: fc.constantFrom('jump', 'jump', 'goto'), chain: fc.constantFrom(...chains) });
}

function rules(...targets: readonly fc.Arbitrary<Target>[]): fc.Arbitrary<readonly PlainRule[]> {
  const rule = fc.record({
    protocol: fc.constantFrom('tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'tcp', 'udp', 'udp', 'icmp', '! tcp', null),
    destination: fc.option(net, { freq: 20 }),
    source: fc.option(net, { freq: 1 }),
    ports: fc.option(fc.array(range, { minLength: 1, maxLength: 3 }), { freq: 5 }),
    notPorts: negated,
    marked: rarely,
    interface: rarely.chain((is) => (is ? fc.constantFrom('qg-1', 'qr-1', '! qr-1', 'qg-+') : fc.constant(null))),
    target: fc.oneof(...targets.map((arbitrary) => ({ weight: arbitrary === dnat ? 3 : 1, arbitrary }))),
    spelling: fc.nat(0xffff),
  });
  const withPorts = rule.map((each) =>
    each.protocol === 'tcp' || each.protocol === 'udp' ? each : withoutPorts(each),
  );
  return fc.array(withPorts, { maxLength: 7, size: 'max' });
}

/** As iptables demands it of other protocols. */
function withoutPorts(rule: PlainRule): PlainRule {
  const { target } = rule;
  return { ...rule, ports: null, target: target.kind === 'dnat' ? { ...target, ports: null } : target };
}

/** A rule that reports all packets. */
const LOGGING: PlainRule = {
  protocol: null,
  destination: null,
  source: null,
  ports: null,
  notPorts: false,
  marked: false,
  interface: null,
  target: { kind: 'LOG' },
  spelling: 0,
};

export const plainChains: fc.Arbitrary<PlainChains> = fc
  .record({
    PREROUTING: rules(dnat, other, jumpTo('one', 'two')),
    one: rules(dnat, other, jumpTo('two')),
    two: rules(dnat, other),
    isLogging: fc.boolean(),
  })
  .map(({ PREROUTING, isLogging, one, two }) => {
    return { PREROUTING: isLogging ? [LOGGING, ...PREROUTING] : PREROUTING, one, two };
  });

/** What chains are called in a dump. */
export type ChainNames = Readonly<Record<ChainName, string>>;

const PLAIN_NAMES: ChainNames = { PREROUTING: 'PREROUTING', one: 'one', two: 'two' };
/** As targets are called, too. */
export const TARGET_NAMES: ChainNames = { PREROUTING: 'PREROUTING', one: 'AUDIT', two: 'TRACE' };

/** As iptables-save could print it, or (`isSpelled`) as users may have written it, and which rule is in which line. */
export function printChains(
  chains: PlainChains,
  { names = PLAIN_NAMES, isSpelled = false }: { readonly names?: ChainNames; readonly isSpelled?: boolean } = {},
): {
  readonly text: string;
  readonly lines: ReadonlyMap<number, PlainRule>;
} {
  const head = [
    '# Generated by iptables-save v1.8.9',
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    `:${names.one} - [0:0]`,
    `:${names.two} - [0:0]`,
  ];
  const named = [
    ...chains.PREROUTING.map((rule) => [names.PREROUTING, rule] as const),
    ...chains.one.map((rule) => [names.one, rule] as const),
    ...chains.two.map((rule) => [names.two, rule] as const),
  ];
  const body = named.map(([chain, rule]) => {
    return `-A ${chain} ${printRule({ ...rule, spelling: isSpelled ? rule.spelling : 0 }, names)}`.trimEnd();
  });
  return {
    text: [...head, ...body, 'COMMIT', ''].join('\n'),
    lines: new Map(named.map(([, rule], index) => [head.length + 1 + index, rule])),
  };
}

/** One of several ways to write something; the first is that of iptables-save. */
function pick(spelling: number, at: number, ...ways: readonly string[]): string {
  return ways[Math.floor(spelling / 7 ** at) % ways.length] ?? '';
}

function printRule(rule: PlainRule, names: ChainNames): string {
  const { spelling, target } = rule;
  const protocol = printProtocol(rule);
  const conditions = [
    printNet(pick(spelling, 0, '-s', '--source', '--src'), '198.51.100', rule.source, spelling),
    printNet(pick(spelling, 1, '-d', '--destination', '--dst', '--dest'), '203.0.113', rule.destination, spelling),
    printNegated(pick(spelling, 2, '-i', '--in-interface', '--in-i'), rule.interface),
    printPorts(rule),
    rule.marked ? '-m mark --mark 0x1' : '',
  ].filter((text) => text !== '');
  const before = {
    all: conditions.length,
    none: 0,
    some: conditions.length >> 1,
  }[pick(spelling, 3, 'all', 'none', 'some')];
  // Options of a protocol, and ports of a target, have to stand behind it.
  return [protocol, ...conditions.slice(0, before), printTarget(target, names, spelling), ...conditions.slice(before)]
    .filter((text) => text !== '')
    .join(' ');
}

function printNet(option: string, network: string, net: Net | null, spelling: number): string {
  if (net === null) return '';
  const { first, size, isNegated } = net;
  const length = 32 - Math.log2(size);
  const octal = `0${length.toString(8)}`;
  const mask = pick(spelling, 4, `${length}`, `255.255.255.${256 - size}`, `0x${length.toString(16)}`, octal);
  return `${isNegated ? '! ' : ''}${option} ${network}.${first}/${mask}`;
}

function printNegated(option: string, value: string | null): string {
  if (value === null) return '';
  return value.startsWith('! ') ? `! ${option} ${value.slice(2)}` : `${option} ${value}`;
}

const NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1 };

function printProtocol({ protocol, spelling }: PlainRule): string {
  if (protocol === null) return pick(spelling, 0, '', '-p all', '-p 0');
  const [not, name] = protocol.startsWith('! ') ? ['! ', protocol.slice(2)] : ['', protocol];
  const number = NUMBERS[name] ?? 0;
  const spelled = [name, name.toUpperCase(), `${number}`, `0${number.toString(8)}`, `0x${number.toString(16)}`];
  return printNegated(pick(spelling, 1, '-p', '--protocol', '--proto'), `${not}${pick(spelling, 2, ...spelled)}`);
}

function printPorts({ protocol, ports, notPorts, spelling }: PlainRule): string {
  if (ports === null) return '';
  // Only with a leading zero and without a difference is a port the same to all matches.
  const ofUdp = (number: number) =>
    pick(spelling, 3, `${number}`, `+${number}`, number < 8 ? `0${number}` : `${number}`);
  const ofTcp = (number: number) => pick(spelling, 4, ofUdp(number), `0x${number.toString(16)}`);
  const port = protocol === 'tcp' || ports.length > 1 ? ofTcp : ofUdp;
  const texts = ports.map(([first, last]) => (first === last ? port(first) : `${port(first)}:${port(last)}`));
  const not = notPorts ? '! ' : '';
  if (ports.length > 1) {
    const option = pick(spelling, 0, '--dports', '--destination-ports', '--dport');
    return `-m multiport ${not}${option} ${texts.join(',')}`;
  }
  const option = pick(spelling, 1, '--dport ', '--destination-port ', '--dp ', '--dport=');
  return `-m ${protocol} ${not}${option}${texts[0]}`;
}

function printTarget(target: Target, names: ChainNames, spelling: number): string {
  switch (target.kind) {
    case 'none':
      return '';
    case 'jump':
      return `${pick(spelling, 2, '-j', '--jump', '--j')} ${names[target.chain]}`;
    case 'goto':
      return `${pick(spelling, 2, '-g', '--goto', '--go')} ${names[target.chain]}`;
    case 'MARK':
      return '-j MARK --set-xmark 0x2/0xffffffff';
    case 'REDIRECT':
      return '-j REDIRECT';
    case 'dnat': {
      const [first, last, base] = target.ports ?? [];
      const port = (number = 0) => {
        return pick(spelling, 3, `${number}`, `0x${number.toString(16)}`, `0${number.toString(8)}`);
      };
      const range =
        first === last ? `:${port(first)}` : `:${port(first)}-${port(last)}${base === null ? '' : `/${base}`}`;
      const option = pick(spelling, 1, '--to-destination ', '--to ', '--to-dest ', '--to=');
      return `-j DNAT ${option}10.0.0.${target.host}${target.ports === null ? '' : range}`;
    }
    case 'ACCEPT':
    case 'RETURN':
    case 'LOG':
    case 'XYZZY':
      return `-j ${target.kind}`;
  }
}

/** The rule at which the packet's way through all chains ends; null: none does. */
export function decide(chains: PlainChains, packet: Packet): PlainRule | null {
  return go(chains, 'PREROUTING', packet, []);
}

/** The rules on that way that do something and let the packet go on. */
export function passedOnTheWay(chains: PlainChains, packet: Packet): readonly PlainRule[] {
  const passed: PlainRule[] = [];
  go(chains, 'PREROUTING', packet, passed);
  return passed;
}

function go(chains: PlainChains, chain: ChainName, packet: Packet, passed: PlainRule[]): PlainRule | null {
  for (const rule of chains[chain]) {
    if (!matches(rule, packet)) continue;
    const { target } = rule;
    if (target.kind === 'RETURN') return null;
    if (target.kind === 'MARK' || target.kind === 'LOG') passed.push(rule);
    if (target.kind === 'none' || target.kind === 'MARK' || target.kind === 'LOG') continue;
    if (target.kind !== 'jump' && target.kind !== 'goto') return rule;
    const decided = go(chains, target.chain, packet, passed);
    if (decided !== null || target.kind === 'goto') return decided;
  }
  return null;
}

function matches(rule: PlainRule, packet: Packet): boolean {
  return (
    matchesText(rule.protocol, packet.protocol) &&
    matchesText(rule.interface, packet.interface) &&
    inNet(rule.source, packet.source) &&
    inNet(rule.destination, packet.destination) &&
    (!rule.marked || packet.marked) &&
    (rule.ports === null ||
      rule.ports.some(([first, last]) => first <= packet.port && packet.port <= last) !== rule.notPorts)
  );
}

function matchesText(wanted: string | null, text: string): boolean {
  if (wanted === null) return true;
  if (wanted.startsWith('! ')) return text !== wanted.slice(2);
  return wanted.endsWith('+') ? text.startsWith(wanted.slice(0, -1)) : text === wanted;
}

function inNet(net: Net | null, address: number): boolean {
  return net === null || (net.first <= address && address < net.first + net.size) !== net.isNegated;
}

/** Where the packet is sent: `host port`; null: nobody can tell. */
export function destinationOf({ target }: PlainRule, { port }: Packet): string | null {
  if (target.kind !== 'dnat') return null;
  if (target.ports === null) return `${target.host} ${port}`;
  const [first, last, base] = target.ports;
  const size = last - first + 1;
  if (size === 1) return `${target.host} ${first}`;
  if (base !== null) return `${target.host} ${first + (((((port - base) % 65_536) + 65_536) % 65_536) % size)}`;
  return first <= port && port <= last ? `${target.host} ${port}` : null;
}
