import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forwardsOfDump } from '../../src/interchange/iptables-forwards.ts';
import { parseAddress } from '../../src/model/address.ts';
import { parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';
import { growthByTen } from '../support/processor-time.ts';
import { dump, read } from './dump-reading.ts';
import {
  decide,
  destinationOf,
  type Packet,
  passedOnTheWay,
  plainChains,
  printChains,
  TARGET_NAMES,
} from './plain-rules.ts';

describe('rules that a forward does the same for', () => {
  test.each([
    ['-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5', 'tcp X 80 -> 10.0.0.5 80'],
    ['-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080', 'tcp X 80 -> 10.0.0.5 8080'],
    ['-p udp -m udp --dport 80:90 -j DNAT --to-destination 10.0.0.5', 'udp X 80-90 -> 10.0.0.5 80-90'],
    ['-p udp -m udp --dport 80:90 -j DNAT --to-destination 10.0.0.5:53', 'udp X 80-90 -> 10.0.0.5 53'],
    ['-p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:8080-8090/80', 'tcp X 80-90 -> 10.0.0.5 8080-8090'],
    ['-p tcp -m tcp --dport 85:86 -j DNAT --to-destination 10.0.0.5:8080-8090/80', 'tcp X 85-86 -> 10.0.0.5 8085-8086'],
    ['-p tcp -m tcp --dport 85:86 -j DNAT --to-destination 10.0.0.5:80-90', 'tcp X 85-86 -> 10.0.0.5 85-86'],
    ['-p tcp -j DNAT --to-destination 10.0.0.5', 'tcp X 1-65535 -> 10.0.0.5 1-65535'],
    ['-p tcp -m tcp -j DNAT --to-destination 10.0.0.5:22', 'tcp X 1-65535 -> 10.0.0.5 22'],
    ['-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:81 --random --persistent', 'tcp X 80 -> 10.0.0.5 81'],
    ['-p 17 -m udp --dport 80 -j DNAT --to-destination 10.0.0.5:81', 'udp X 80 -> 10.0.0.5 81'],
    ['-p sctp -m sctp --dport 80 -j DNAT --to-destination 10.0.0.5:81', 'sctp X 80 -> 10.0.0.5 81'],
    ['-p dccp -m dccp --dport 80 -j DNAT --to-destination 10.0.0.5:81', 'dccp X 80 -> 10.0.0.5 81'],
    ['-p udplite -m multiport --dports 80 -j DNAT --to-destination 10.0.0.5', 'udplite X 80 -> 10.0.0.5 80'],
    ['-p 136 -m multiport --dports 80 -j DNAT --to-destination 10.0.0.5', 'udplite X 80 -> 10.0.0.5 80'],
    [
      '-s 192.0.2.0/24 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'tcp X 80 from 192.0.2.0/24 -> 10.0.0.5 80',
    ],
    [
      '-p tcp -m iprange --src-range 192.0.2.1-192.0.2.4 -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'tcp X 80 from 192.0.2.1/32 192.0.2.2/31 192.0.2.4/32 -> 10.0.0.5 80',
    ],
    [
      '! -s 128.0.0.0/2 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'tcp X 80 from 0.0.0.0/1 192.0.0.0/2 -> 10.0.0.5 80',
    ],
    [
      '-p tcp -m comment --comment "a \\"b\\" \\\\ -j DROP" -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'tcp X 80 -> 10.0.0.5 80',
    ],
    ['-p tcp -m comment --comment -j -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5', 'tcp X 80 -> 10.0.0.5 80'],
    // As iptables before 1.4.3 printed negations.
    [
      '-s ! 128.0.0.0/255.0.0.0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'tcp X 80 from 0.0.0.0/1 129.0.0.0/8 130.0.0.0/7 132.0.0.0/6 136.0.0.0/5 144.0.0.0/4 160.0.0.0/3 192.0.0.0/2 -> 10.0.0.5 80',
    ],
    ['-p tcp -m tcp --dport ! 2:65535 -j DNAT --to-destination 10.0.0.5', 'tcp X 1 -> 10.0.0.5 1'],
  ])('%s', (rule, forward) => {
    const text = dump(`-A PREROUTING -d 203.0.113.7/32 ${rule}`);
    expect(read(text)).toEqual({ taken: [forward.replace('X', '203.0.113.7')], left: [], foreign: 0 });
    expect(read(text.replace('-A', '[12:345] -A')).taken).toEqual([forward.replace('X', '203.0.113.7')]);
  });

  test('become several forwards where one cannot say it', () => {
    const rule = '-d 203.0.113.7/32 -p tcp -m multiport --dports 443,80,1000:2000 -j DNAT --to-destination 10.0.0.5';
    expect(read(dump(`-A PREROUTING ${rule}`)).taken).toEqual([
      'tcp 203.0.113.7 443 -> 10.0.0.5 443',
      'tcp 203.0.113.7 80 -> 10.0.0.5 80',
      'tcp 203.0.113.7 1000-2000 -> 10.0.0.5 1000-2000',
    ]);
    expect(read(dump(`-A PREROUTING ${rule.replace('--dports', '! --dports').replace('443,', '')}`)).taken).toEqual([
      'tcp 203.0.113.7 1-79 -> 10.0.0.5 1-79',
      'tcp 203.0.113.7 81-999 -> 10.0.0.5 81-999',
      'tcp 203.0.113.7 2001-65535 -> 10.0.0.5 2001-65535',
    ]);
  });

  test('of which several become one forward: iptables writes a list of sources as rules', () => {
    const rule = '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
    const text = dump(`-A PREROUTING -s 192.0.2.0/25 ${rule}`, `-A PREROUTING -s 198.51.100.5/32 ${rule}`);
    expect(read(text).taken).toEqual(['tcp 203.0.113.7 80 from 192.0.2.0/25 198.51.100.5/32 -> 10.0.0.5 80']);
    const { taken } = forwardsOfDump(text, { file: 'dump', router: 'r1' });
    expect(taken.map(({ lines }) => lines)).toEqual([[3, 4]]);
  });

  test('IPv6', () => {
    const rules = [
      '-A PREROUTING -d 2001:db8::7/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::5]:8080',
      '-A PREROUTING -d 2001:db8::7/128 -p tcp -m tcp --dport 81:83 -j DNAT --to-destination [fd00::5]:91-93/81',
      '-A PREROUTING -d 2001:db8::7/128 -p udp -j DNAT --to-destination fd00::5',
      '-A PREROUTING -d 2001:db8::7/128 -p sctp -j DNAT --to-destination fd00::5-fd00::9',
    ];
    expect(read(`# Generated by ip6tables-save v1.8.9\n${dump(...rules)}`)).toEqual({
      taken: [
        'tcp 2001:db8::7 80 -> fd00::5 8080',
        'tcp 2001:db8::7 81-83 -> fd00::5 91-93',
        'udp 2001:db8::7 1-65535 -> fd00::5 1-65535',
      ],
      left: ['7 it spreads connections over the addresses fd00::5 to fd00::9'],
      foreign: 0,
    });
    expect(read(dump(...rules)).taken).toHaveLength(3);
  });

  test('the gateway, where it is told which that is', () => {
    const text = dump('-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5');
    expect(read(text, { gateways: { 4: parseAddress('203.0.113.7') } }).taken).toEqual([
      'tcp gateway 80 -> 10.0.0.5 80',
    ]);
    expect(read(text, { gateways: { 4: parseAddress('203.0.113.8') } }).taken).toEqual([
      'tcp 203.0.113.7 80 -> 10.0.0.5 80',
    ]);
  });

  test('a comment becomes the description', () => {
    const rule = (comment: string) =>
      dump(
        `-A PREROUTING -d 203.0.113.7/32 -p tcp -m comment --comment ${comment} -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5`,
      );
    const description = (comment: string) =>
      forwardsOfDump(rule(comment), { file: 'dump', router: 'r1' }).taken[0]?.forward.description;
    expect(description('web')).toBe('web');
    expect(description('"say \\"hi\\", it\\\'s 日本"')).toBe('say "hi", it\'s 日本');
    expect(description('""')).toBeUndefined();
  });

  test('packets by an outside interface, where it is told which those are', () => {
    const rule = (by: string) =>
      dump(`-A PREROUTING -d 203.0.113.7/32 ${by} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5`);
    const outside = ['qg-'];
    for (const by of ['-i qg-6897b8e1-ba', '-i qg-+', '-i q+', '! -i qr-83d7bf46-08', '! -i qr-+']) {
      expect(read(rule(by)).left).toEqual([`3 it is for packets by certain interfaces (${by}), a forward for all`]);
      expect(read(rule(by), { outside }).taken).toHaveLength(1);
    }
    for (const by of ['-i qr-+', '-i lo', '! -i qg-+']) {
      expect(read(rule(by), { outside }).left).toEqual(['3 no packet from outside meets all its conditions']);
    }
  });
});

describe('rules that no forward does the same for are named', () => {
  test.each([
    [
      '-d 203.0.113.7/32 -j DNAT --to-destination 10.0.0.5',
      'it is not only for protocols that have ports, as a forward is',
    ],
    [
      '-d 203.0.113.7/32 -p icmp -j DNAT --to-destination 10.0.0.5',
      'it is not only for protocols that have ports, as a forward is',
    ],
    [
      '-d 203.0.113.7/32 ! -p tcp -j DNAT --to-destination 10.0.0.5',
      'it is not only for protocols that have ports, as a forward is',
    ],
    [
      '-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'it is for every address (no -d), a forward for one',
    ],
    [
      '-d 203.0.113.0/29 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'it is for several addresses, a forward for one',
    ],
    [
      '! -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'it is for several addresses, a forward for one',
    ],
    [
      '-d 203.0.113.7/255.0.255.255 -p tcp -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like -d 203.0.113.7/255.0.255.255',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --sport 5 --dport 80 -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --sport 5',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --tcp-flags FIN,SYN,RST,ACK SYN',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m conntrack ! --ctstate NEW,RELATED -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like ! --ctstate NEW,RELATED',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m mark --mark 0x1/0xff -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --mark 0x1/0xff',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --dst-type LOCAL',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m multiport --ports 80 -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --ports 80',
    ],
    ['-d 203.0.113.7/32 -p tcp -f -j DNAT --to-destination 10.0.0.5', 'a forward has no condition like -f'],
    [
      '-d 203.0.113.7/32 -p tcp -m socket -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like -m socket',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -m socket -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like -m socket',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m socket --nowildcard -m tcp ! --dport 1 -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --nowildcard',
    ],
    [
      '-d 203.0.113.7/32 -i ! qr-1 -p tcp -j DNAT --to-destination 10.0.0.5',
      'it is for packets by certain interfaces (! -i qr-1), a forward for all',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m comment --comment "two\nlines" -j DNAT --to-destination 10.0.0.5',
      'it has a line break, so that iptables-restore cannot read it',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m string --string "-j ACCEPT" --algo bm -j DNAT --to-destination 10.0.0.5',
      'a forward has no condition like --string -j ACCEPT',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080',
      'REDIRECT leads to the router itself, a forward to a machine behind it',
    ],
    ['-d 203.0.113.0/24 -j NETMAP --to 10.0.0.0/24', 'NETMAP translates whole networks, a forward one address'],
    [
      '-d 203.0.113.7/32 -p tcp -j DNAT --to-destination 10.0.0.5-10.0.0.9',
      'it spreads connections over the addresses 10.0.0.5 to 10.0.0.9',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:8080-8090',
      'without an offset behind them the kernel chooses among the ports 8080-8090',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:80-90 --random',
      '--random chooses among the ports 80-90',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80:91 -j DNAT --to-destination 10.0.0.5:8080-8090/80',
      'the ports 80-91 do not fit into 8080-8090/80, and would begin anew in it',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 127.0.0.1:80',
      '127.0.0.1 is a loopback address, which never leaves the machine',
    ],
    [
      '-d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
      '169.254.169.254 is a link-local address, which routers do not forward',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -m tcp --dport 0 -j DNAT --to-destination 10.0.0.5',
      'no packet from outside meets all its conditions',
    ],
    [
      '-d 203.0.113.7/32 -p tcp -j DNAT --to-destination 10.0.0.5 --frobnicate',
      'DNAT has the option --frobnicate, which is not known here',
    ],
    ['-d 203.0.113.7/32 -p tcp -j DNAT', '--to-destination  names no address'],
  ])('%s', (rule, reason) => {
    expect(read(dump(`-A PREROUTING ${rule}`))).toEqual({ taken: [], left: [`3 ${reason}`], foreign: 0 });
  });

  test('also where no packet from elsewhere comes to them', () => {
    const rule = '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
    const text = dump(':OUTPUT ACCEPT [0:0]', ':mine - [0:0]', `-A OUTPUT ${rule}`, `-A mine ${rule}`);
    expect(read(text).left).toEqual([
      '5 it is for packets of the router itself, a forward for those that arrive',
      '6 no rule of PREROUTING leads to its chain mine',
    ]);
  });

  test('a line break in quotes ends no rule, and those behind it are on their lines', () => {
    const broken =
      '-A PREROUTING -d 203.0.113.7/32 -p tcp -m comment --comment "a \\"\n\nCOMMIT" -m tcp --dport 80 -j ACCEPT';
    const rule = '-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
    expect(read(dump(broken, rule)).left).toEqual(['6 line 3 comes first, and takes all its packets']);
  });

  test('with line and text', () => {
    const { left } = forwardsOfDump(dump('[1:2] -A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.5'), {
      file: 'dump',
      router: 'r1',
    });
    expect(left).toMatchObject([{ line: 3, text: '-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.5' }]);
  });
});

describe('the first rule that fits wins', () => {
  const to = (host: number, conditions: string) =>
    `-A PREROUTING -d 203.0.113.7/32 -p tcp ${conditions} -j DNAT --to-destination 10.0.0.${host}`;

  test('so one behind a broader one does nothing', () => {
    const text = dump(to(1, '-m tcp --dport 80:90'), to(2, '-m tcp --dport 85'));
    expect(read(text)).toMatchObject({
      taken: ['tcp 203.0.113.7 80-90 -> 10.0.0.1 80-90'],
      left: ['4 line 3 comes first, and takes all its packets'],
    });
  });

  test('and a broader one has what is left', () => {
    const text = dump(
      to(1, '-m tcp --dport 80'),
      to(2, '-s 192.0.2.0/24 -m tcp --dport 22'),
      to(3, '-m tcp --dport 1:100'),
    );
    expect(read(text).taken).toEqual([
      'tcp 203.0.113.7 80 -> 10.0.0.1 80',
      'tcp 203.0.113.7 22 from 192.0.2.0/24 -> 10.0.0.2 22',
      'tcp 203.0.113.7 1-21 -> 10.0.0.3 1-21',
      'tcp 203.0.113.7 23-79 -> 10.0.0.3 23-79',
      'tcp 203.0.113.7 81-100 -> 10.0.0.3 81-100',
      expect.stringMatching(/^tcp 203\.0\.113\.7 22 from 0\.0\.0\.0\/1 .* 224\.0\.0\.0\/3 -> 10\.0\.0\.3 22$/),
    ]);
  });

  test('whatever it does, if that is known', () => {
    const rest = to(1, '-m tcp --dport 80');
    const behind = (rule: string) => read(dump(`-A PREROUTING ${rule}`, rest));
    expect(behind('-d 203.0.113.0/24 -p tcp -m tcp --dport 80 -j ACCEPT').left).toEqual([
      '4 line 3 comes first, and takes all its packets',
    ]);
    expect(behind('-d 203.0.113.0/24 -j RETURN').left).toHaveLength(1);
    expect(behind('-d 203.0.113.0/24 -j LOG --log-prefix "a b"').taken).toHaveLength(1);
    expect(behind('-d 203.0.113.0/24').taken).toHaveLength(1);
    expect(behind('-d 203.0.114.0/24 -j XYZZY').taken).toHaveLength(1);
    for (const rule of ['-d 203.0.113.0/24 -j XYZZY', '-m conntrack --ctstate INVALID -j ACCEPT']) {
      expect(behind(rule).left).toEqual([
        '4 line 3 comes first, and it cannot be told which of its packets that takes',
      ]);
    }
  });

  test('chains of a user are followed', () => {
    const rule = '-p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
    const chain = ':mine - [0:0]';
    expect(read(dump(chain, '-A PREROUTING -d 203.0.113.7/32 -j mine', `-A mine ${rule}`)).taken).toHaveLength(1);
    // Twice the same way: the second time nothing is left.
    const twice = dump(
      chain,
      '-A PREROUTING -d 203.0.113.7/32 -j mine',
      '-A PREROUTING -j mine',
      `-A mine -d 203.0.113.7/32 ${rule}`,
    );
    expect(read(twice)).toMatchObject({ taken: ['tcp 203.0.113.7 80 -> 10.0.0.5 80'], left: [] });
    const left = dump(
      chain,
      ':two - [0:0]',
      '-A PREROUTING -j mine',
      '-A PREROUTING -j two',
      '-A mine -d 203.0.113.7/32 -j RETURN',
      `-A mine -d 203.0.113.7/32 ${rule}`,
      `-A two -d 203.0.113.7/32 ${rule}`,
    );
    expect(read(left)).toMatchObject({
      taken: ['tcp 203.0.113.7 80 -> 10.0.0.5 80'],
      left: ['8 line 7 comes first, and takes all its packets'],
    });
    const gone = dump(
      chain,
      ':two - [0:0]',
      '-A PREROUTING -j mine',
      '-A mine -d 203.0.113.7/32 -g two',
      `-A mine -d 203.0.113.7/32 ${rule}`,
    );
    expect(read(gone).left).toEqual(['7 line 6 comes first, and takes all its packets']);
  });

  test('Neutron’s own are counted, and come first where they do', () => {
    const text = dump(
      ':neutron-l3-agent-PREROUTING - [0:0]',
      '-A PREROUTING -j neutron-l3-agent-PREROUTING',
      to(1, '-m tcp --dport 80'),
      '-A PREROUTING -d 203.0.113.8/32 -p tcp -j DNAT --to-destination 10.0.0.5',
      '-A neutron-l3-agent-PREROUTING -d 169.254.169.254/32 -i qr-+ -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 9697',
      '-A neutron-l3-agent-PREROUTING -d 203.0.113.8/32 -j DNAT --to-destination 10.0.0.9',
    );
    expect(read(text)).toEqual({
      taken: ['tcp 203.0.113.7 80 -> 10.0.0.1 80'],
      left: ['6 line 8 comes first, and takes all its packets'],
      foreign: 2,
    });
  });
});

describe('what is no dump', () => {
  test.each([
    [
      '*nat\n:PREROUTING ACCEPT [0:0]\n-R PREROUTING 1 -j ACCEPT\nCOMMIT',
      'line 3: -R PREROUTING 1 -j ACCEPT is not what iptables-save prints',
    ],
    ['*nat\n-A MINE -j ACCEPT\nCOMMIT', 'line 2: there is no chain MINE'],
    ['*nat\n-A PREROUTING -j ACCEPT\n-F\nCOMMIT', 'line 3: -F comes behind rules'],
    ['*nat\n-A PREROUTING -j ACCEPT\n-D PREROUTING -j DROP\nCOMMIT', 'line 3: the rule that it deletes is not there'],
    ['*nat\n-A PREROUTING -j ACCEPT\n-D PREROUTING 2\nCOMMIT', 'line 3: the rule that it deletes is not there'],
    ['*nat\n:PREROUTING ACCEPT [0:0]\n', 'line 3: the last table has no COMMIT'],
    ['*nat\n*filter\nCOMMIT', 'line 2: a table begins before the one above has ended'],
    ['hello\n*nat\nCOMMIT', 'line 1: it is in no table'],
    ['*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m comment --comment "a\nCOMMIT', 'line 3: a quote is not closed'],
    [
      '*nat\n:PREROUTING ACCEPT [0:0]\n:a - [0:0]\n-A PREROUTING -j a\n-A a -j a\nCOMMIT',
      'the chain a leads back to itself',
    ],
  ])('%j', (text, reason) => {
    expect(() => read(text)).toThrow(`dump is not understood: ${reason}`);
  });

  test('chains that branch without end', () => {
    const chains = Array.from({ length: 30 }, (_, n) => `:c${n} - [0:0]`);
    const rules = Array.from({ length: 29 }, (_, n) => [`-A c${n} -j c${n + 1}`, `-A c${n} -j c${n + 1}`]).flat();
    expect(() => read(dump(...chains, '-A PREROUTING -j c0', ...rules))).toThrow('its chains branch too often');
  });
});

test('both families in one file, other tables beside them', () => {
  const four = `# Generated by iptables-save v1.8.9\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DNAT\nCOMMIT\n${dump('-A PREROUTING -d 203.0.113.7/32 -p tcp -j DNAT --to-destination 10.0.0.5')}`;
  const six = `# Generated by ip6tables-save v1.8.9\n${dump('-A PREROUTING -d 2001:db8::7/128 -p tcp -j DNAT --to-destination fd00::5')}`;
  expect(read(four + six).taken).toEqual([
    'tcp 203.0.113.7 1-65535 -> 10.0.0.5 1-65535',
    'tcp 2001:db8::7 1-65535 -> fd00::5 1-65535',
  ]);
});

test('ten thousand rules are read in time by their number, not by its square', () => {
  const rules = Array.from(
    { length: 10_000 },
    (_, n) => `-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport ${n + 1} -j DNAT --to-destination 10.0.0.5:22`,
  );
  const growth = growthByTen(1_000, (count) => {
    expect(read(dump(...rules.slice(0, count))).taken).toHaveLength(count);
  });
  expect(growth).toBeLessThan(40);
});

const ADDRESSES = [0, 1, 2, 3, 4, 7];
const PORTS = Array.from({ length: 13 }, (_, n) => n + 1);

function* packets(interfaces: readonly string[]): Iterable<Packet> {
  for (const protocol of ['tcp', 'udp']) {
    for (const source of ADDRESSES) {
      for (const destination of ADDRESSES) {
        for (const port of PORTS) {
          for (const marked of [false, true]) {
            for (const name of interfaces) yield { protocol, source, destination, port, marked, interface: name };
          }
        }
      }
    }
  }
}

test.each([
  [[], ['qg-1', 'qr-1']],
  [['qg-'], ['qg-1']],
])('forwards do for every packet what the rules did (outside: %j)', (outside, interfaces) => {
  const seen = { taken: 0, left: 0, agreed: 0, logged: 0 };
  fc.assert(
    fc.property(plainChains, fc.boolean(), (chains, isSpelled) => {
      const { text, lines } = printChains(chains, isSpelled ? { isSpelled, names: TARGET_NAMES } : {});
      const { taken, left, bypassed } = forwardsOfDump(text, { file: 'dump', router: 'r1', outside });
      const specs = taken.map(({ forward }) => ({
        forward: printForwardSpec(parseForwardSpec(forward)),
        spec: parseForwardSpec(forward),
      }));
      const takenRules = new Set(taken.flatMap((one) => one.lines.map((line) => lines.get(line))));
      const leftRules = new Set(left.map(({ line }) => lines.get(line)));
      const bypassedRules = new Set(bypassed.map(({ line }) => lines.get(line)));
      for (const rule of lines.values()) {
        const isTranslating = rule.target.kind === 'dnat' || rule.target.kind === 'REDIRECT';
        expect([takenRules, leftRules].filter((rules) => rules.has(rule))).toHaveLength(isTranslating ? 1 : 0);
      }
      seen.taken += taken.length;
      seen.left += left.length;
      for (const packet of packets(interfaces)) {
        const rule = decide(chains, packet);
        const wanted = rule !== null && takenRules.has(rule) ? destinationOf(rule, packet) : null;
        const source = 0xc6336400n + BigInt(packet.source);
        const fitting = specs.filter(
          ({ spec }) =>
            spec.protocol === packet.protocol &&
            spec.externalPorts.first <= packet.port &&
            packet.port <= spec.externalPorts.last &&
            spec.externalAddress !== 'gateway' &&
            spec.externalAddress.text === `203.0.113.${packet.destination}` &&
            (spec.sources.length === 0 || spec.sources.some(({ first, last }) => first <= source && source <= last)),
        );
        const got = fitting.map(({ forward, spec }) => {
          const single = spec.internalPorts.first === spec.internalPorts.last;
          const port = single
            ? spec.internalPorts.first
            : spec.internalPorts.first + packet.port - spec.externalPorts.first;
          return `${forward.internal_address.split('.')[3]} ${port}`;
        });
        if (got.join() !== (wanted ?? ''))
          expect({ packet, rule, got, text }).toEqual({ packet, rule, got: wanted === null ? [] : [wanted], text });
        if (wanted === null) continue;
        seen.agreed++;
        for (const passed of passedOnTheWay(chains, packet)) {
          if (!bypassedRules.has(passed)) expect({ packet, passed, text }).toMatchObject({ passed: 'bypassed' });
          expect(passed.target.kind).toBe('LOG');
          seen.logged++;
        }
      }
    }),
    { numRuns: 300 },
  );
  expect(seen.taken).toBeGreaterThan(150);
  expect(seen.left).toBeGreaterThan(300);
  // With packets by one interface only there are 11,800 on average, give or take a thousand.
  expect(seen.agreed).toBeGreaterThan(4_000);
  // Half of the rules have one before them that reports all packets.
  expect(seen.logged).toBeGreaterThan(500);
});
