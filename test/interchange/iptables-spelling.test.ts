import { describe, expect, test } from 'vitest';
import { dump, read } from './dump-reading.ts';

describe('what is behind the target counts like what is before it', () => {
  test.each([
    [
      '-j DNAT --to-destination 10.0.0.5:22 -d 203.0.113.7/32 -p tcp -m tcp --dport 80',
      'tcp 203.0.113.7 80 -> 10.0.0.5 22',
    ],
    ['-p tcp -j DNAT --dport 80 --to-destination 10.0.0.5 -d 203.0.113.7', 'tcp 203.0.113.7 80 -> 10.0.0.5 80'],
    [
      '-d 203.0.113.7 -j DNAT --to 10.0.0.5 -p udp --dport 53 -s 192.0.2.0/24',
      'udp 203.0.113.7 53 from 192.0.2.0/24 -> 10.0.0.5 53',
    ],
    [
      '-j DNAT --to=10.0.0.5:22 -p tcp -m multiport --dports 80,81 -m comment --comment "-j DROP" -d 203.0.113.7',
      'tcp 203.0.113.7 80 -> 10.0.0.5 22,tcp 203.0.113.7 81 -> 10.0.0.5 22',
    ],
    ['-p tcp -j mine -s 192.0.2.5', 'tcp 203.0.113.7 80 from 192.0.2.5/32 -> 10.0.0.9 80'],
    ['-g mine -p tcp ! -s 128.0.0.0/1', 'tcp 203.0.113.7 80 from 0.0.0.0/1 -> 10.0.0.9 80'],
  ])('%s', (rule, forwards) => {
    const inside = '-A mine -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.9';
    const text = dump(':mine - [0:0]', ...(rule.includes('mine') ? [inside] : []), `-A PREROUTING ${rule}`);
    expect(read(text)).toEqual({
      taken: forwards.split(',tcp').map((each, at) => (at === 0 ? each : `tcp${each}`)),
      left: [],
      foreign: 0,
    });
  });

  test.each([
    [
      '-d 203.0.113.7 -p tcp -j DNAT --to-destination 10.0.0.5 -m mark --mark 1',
      'a forward has no condition like --mark 1',
    ],
    [
      '-d 203.0.113.7 -p tcp -j DNAT --to-destination 10.0.0.5 -i eth0',
      'it is for packets by certain interfaces (-i eth0), a forward for all',
    ],
    ['-d 203.0.113.7 -p tcp -j DNAT --to-destination 10.0.0.5 -m socket', 'a forward has no condition like -m socket'],
    [
      '-d 203.0.113.7 -p tcp -j DNAT --to 10.0.0.5 -m time --timestart 10:00',
      'a forward has no condition like --timestart 10:00',
    ],
    ['-d 203.0.113.7 -p tcp -j ACCEPT -j DNAT --to 10.0.0.5', 'a forward has no condition like several targets'],
  ])('%s is not taken over', (rule, reason) => {
    const { taken, left } = read(dump(`-A PREROUTING ${rule}`));
    expect(taken).toEqual([]);
    expect(left).toEqual(rule.includes('ACCEPT') ? [] : [`3 ${reason}`]);
  });

  test('of a rule that lets some packets go', () => {
    const rest = '-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
    expect(read(dump('-A PREROUTING -j ACCEPT ! -s 192.0.2.5 -p tcp', rest)).taken).toEqual([
      'tcp 203.0.113.7 80 from 192.0.2.5/32 -> 10.0.0.5 80',
    ]);
    expect(read(dump('-A PREROUTING -j ACCEPT -m mark --mark 1', rest)).left).toEqual([
      '4 line 3 comes first, and it cannot be told which of its packets that takes',
    ]);
  });
});

/** As iptables-restore 1.8.9 reads them, which test/kernel/iptables-dumps.test.ts has it say. */
describe('spelling', () => {
  const rest = '-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
  const FORWARD = 'tcp 203.0.113.7 80 -> 10.0.0.5 80';

  test.each(
    [
      '-p TCP',
      '-p Tcp',
      '-p 06',
      '-p 0x6',
      '-p 0X06',
      '-p +6',
      '--protocol tcp',
      '--proto TCP',
      '-p all',
      '-p 0',
      '-p IP',
    ].concat(
      ['-p TCP --dport 0x50', '-p 6 -m tcp --dport http', '-p tcp --dport :', '-p tcp -m multiport --dport 22,http'],
      [
        '-p tcp --dp 80',
        '-p tcp --destination-port=80',
        '-p tcp --dport 80:',
        '-p tcp --dport :80',
        '-p tcp -m state --state NEW',
      ],
      [
        '-p tcp -m conntrack --ctstate new,ESTABLISHED',
        '-i +',
        '! -i eth0:1',
        '-s 0/0',
        '--src 0.0.0.0/0',
        '-d 203/8',
        '-d 203.0.113/0x18',
      ],
      [
        '-d 198.51.100.1,203.0.113.7',
        '-d 203.0.113.7/255.255.255.255',
        '-d 203.0.113.0/030',
        '-m iprange --dst-range 203.0.113.7',
      ],
      ['-c 5 6', '-v', '-p tcp -p tcp', '-m comment --comment=x'],
    ),
  )('%s is an exception for all its packets', (condition) => {
    expect(read(dump(`-A PREROUTING ${condition} -j ACCEPT`, rest))).toEqual({
      taken: [],
      left: ['4 line 3 comes first, and takes all its packets'],
      foreign: 0,
    });
  });

  test.each(
    [
      '-p UDP',
      '-p 021',
      '-p 0x11',
      '-p 017',
      '-p ICMP',
      '-p gre',
      '-p 41',
      '-p tcp --dport 0x51',
      '-p tcp --dport ssh',
    ].concat(['-i eth0:1', '-d 203.0.113.8', '-d 10/8', '-d 203.0.113.8/037', '! -d 203.0.0.0/255.255.0.0']),
  )('%s is one for none of them', (condition) => {
    expect(read(dump(`-A PREROUTING ${condition} -j ACCEPT`, rest))).toEqual({
      taken: [FORWARD],
      left: [],
      foreign: 0,
    });
  });

  test.each(
    [
      '-p 6x',
      '-p any',
      '-p 256',
      '-p tcp,udp',
      '! -p all',
      '-p -6',
      '-p 08',
      '-p my-protocol',
      '--p tcp',
      '-ptcp',
      '-p tcp udp',
    ].concat(
      [
        '-p tcp --dport 0120',
        '-p udp --dport 080',
        '-p tcp --dport HTTP',
        '-p tcp --dport myservice',
        '-p tcp --dport 90:80',
      ],
      [
        '-p tcp --dport 70000',
        '-p tcp --d 80',
        '-p tcp --dport 80-90',
        '-d 203.0.113.07',
        '-d router.example',
        '-d 203.0.113.0/024x',
      ],
      [
        '-d 203.0.113.0/08',
        '-d 203.0.113.0/33',
        '-s 0x0a000001',
        '! -i +',
        '-i ""',
        '-i averyverylonginterface',
        '-m tcpx',
        '! -m tcp',
      ],
      [
        '! -d 203.0.113.7,203.0.113.8',
        '-m conntrack ! --ctstate NEW',
        '-m state --state ESTABLISHED',
        '-m policy --dir in --proto esp',
      ],
      ['-m socket --source 0/0', '-t nat', '-o eth0', '-frobnicate', '-m owner --dport 80'],
    ),
  )('of %s it cannot be told', (condition) => {
    const isUdp = condition.includes('udp --dport');
    expect(read(dump(`-A PREROUTING ${condition} -j ACCEPT`, isUdp ? rest.replaceAll('tcp', 'udp') : rest))).toEqual({
      taken: [],
      left: ['4 line 3 comes first, and it cannot be told which of its packets that takes'],
      foreign: 0,
    });
  });

  test.each([
    ['-d 203.0.113.7 -p TCP --dport 0x50 -j DNAT --to 10.0.0.5:0120', 'tcp 203.0.113.7 80 -> 10.0.0.5 80'],
    ['-d 203.0.113.7 -p 0x11 --dport domain -j DNAT --to-dest 10.0.0.5:domain', 'udp 203.0.113.7 53 -> 10.0.0.5 53'],
    ['--dst 203.0.113.7/0x20 --proto 06 --dpo 80 --jump DNAT --to=10.0.0.5', 'tcp 203.0.113.7 80 -> 10.0.0.5 80'],
    [
      '-d 203.0.113.7 -p tcp --dport 80:90 -j DNAT --to 10.0.0.5:0x1f90-8090/http --pers',
      'tcp 203.0.113.7 80-90 -> 10.0.0.5 8080-8090',
    ],
    [
      '-d 203.0.113.7 -p tcp --dport 80 -m state --state NEW -j DNAT --to 10.0.0.5',
      'tcp 203.0.113.7 80 -> 10.0.0.5 80',
    ],
    [
      '-s 10/8 -d 203.0.113.7 -p tcp --dport 80 -j DNAT --to 10.0.0.5',
      'tcp 203.0.113.7 80 from 10.0.0.0/8 -> 10.0.0.5 80',
    ],
  ])('a rule may itself be spelled so: %s', (rule, forward) => {
    expect(read(dump(`-A PREROUTING ${rule}`))).toEqual({ taken: [forward], left: [], foreign: 0 });
  });

  test('a list of addresses is a rule for each', () => {
    expect(
      read(dump('-A PREROUTING -d 203.0.113.7,203.0.113.9/32 -p tcp --dport 80 -j DNAT --to 10.0.0.5')).taken,
    ).toEqual(['tcp 203.0.113.7 80 -> 10.0.0.5 80', 'tcp 203.0.113.9 80 -> 10.0.0.5 80']);
  });

  test.each([
    ['10.0.0.5:080', '--to-destination 10.0.0.5:080 has a port that only iptables can tell'],
    ['10.0.0.5:myservice', '--to-destination 10.0.0.5:myservice has a port that only iptables can tell'],
    ['10.0.0.5:90-80', '--to-destination 10.0.0.5:90-80 has ports in descending order'],
    ['10.0.0.05', '10.0.0.05 has a number with a leading zero'],
    ['host.example', 'host.example is not'],
  ])('--to %s is none that a forward can have', (destination, reason) => {
    const { taken, left } = read(dump(`-A PREROUTING -d 203.0.113.7 -p tcp --dport 80 -j DNAT --to ${destination}`));
    expect(taken).toEqual([]);
    expect(left[0]).toContain(reason);
  });

  test('an interface cannot be called like an alias', () => {
    const rule = '-A PREROUTING -i eth0:1 -d 203.0.113.7 -p tcp --dport 80 -j DNAT --to 10.0.0.5';
    for (const outside of [[], ['eth']]) {
      expect(read(dump(rule), { outside }).left).toEqual([
        '3 no interface can be called eth0:1, so no packet meets it: name the address by -d instead',
      ]);
    }
  });
});

describe('a chain can be called like a target', () => {
  const rule = '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';

  test.each([
    'LOG',
    'AUDIT',
    'TRACE',
    'SET',
    'MARK',
    'NOTRACK',
    'CT',
    'REDIRECT',
    'NETMAP',
    'MASQUERADE',
    'constructor',
  ])('%s', (name) => {
    const chain = `:${name} - [0:0]`;
    expect(read(dump(chain, `-A PREROUTING -j ${name}`, `-A ${name} ${rule}`))).toEqual({
      taken: ['tcp 203.0.113.7 80 -> 10.0.0.5 80'],
      left: [],
      foreign: 0,
    });
    expect(read(dump(chain, `-A PREROUTING -g ${name}`, `-A PREROUTING ${rule}`)).left).toEqual([
      '5 line 4 comes first, and takes all its packets',
    ]);
    expect(
      read(dump(chain, `-A PREROUTING -j ${name} -p tcp`, `-A ${name} -j ACCEPT`, `-A PREROUTING ${rule}`)).left,
    ).toEqual(['6 line 5 comes first, and takes all its packets']);
  });
});
