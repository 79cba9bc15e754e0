import { describe, expect, test } from 'vitest';
import { dump, read } from './dump-reading.ts';

describe('rules that do something and let packets go on', () => {
  const DNAT = '-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
  const TAKEN = ['tcp 203.0.113.7 80 -> 10.0.0.5 80'];
  const behind = (...rules: readonly string[]) => read(dump(':mine - [0:0]', ...rules, DNAT));

  test.each([
    ['-j MARK --set-xmark 0x1/0xffffffff', 'MARK'],
    ['-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x1/0xffffffff', 'MARK'],
    ['-p tcp -m tcp --dport 1:100 -j CONNMARK --set-xmark 0x1/0xffffffff', 'CONNMARK'],
    ['-m mark --mark 0x7 -j SET --add-set seen src', 'SET'],
    ['-s 192.0.2.0/24 -j TEE --gateway 10.0.0.9', 'TEE'],
    ['-j CLASSIFY --set-class 1:1', 'CLASSIFY'],
    ['-m recent --set --name knock', '-m recent'],
    ['-m recent --set --name knock -m tcp -p tcp --dport 7 -j DROP', '-m recent'],
    ['-p tcp -m hashlimit --hashlimit-above 1/sec --hashlimit-name x -j mine', '-m hashlimit'],
    ['-m frobnicate --it', '-m frobnicate'],
  ])('are a reason against a forward that would bypass them: %s', (rule, by) => {
    expect(behind(`-A PREROUTING ${rule}`)).toEqual({
      taken: [],
      left: [`5 line 4 does something to its packets (${by}), which would not meet it any more`],
      foreign: 0,
    });
  });

  test('also in chains of a user', () => {
    const mark = '-A mine -p tcp -j MARK --set-xmark 0x1/0xffffffff';
    expect(behind('-A PREROUTING -d 203.0.113.0/24 -j mine', mark).taken).toEqual([]);
    expect(behind('-A PREROUTING -d 203.0.114.0/24 -j mine', mark).taken).toEqual(TAKEN);
    expect(behind('-A PREROUTING -d 203.0.113.0/24 -j mine', '-A mine -p tcp -j RETURN', mark).taken).toEqual(TAKEN);
    expect(behind('-A PREROUTING -j mine', '-A mine -s 192.0.2.0/24 -j RETURN', mark).taken).toEqual([]);
    const unclear = '-A mine -m mark --mark 0x2 -j RETURN';
    expect(behind('-A PREROUTING -j mine', unclear, mark).taken).toEqual([]);
  });

  test.each([
    '-p udp -j MARK --set-xmark 0x1/0xffffffff',
    '-d 203.0.113.8/32 -j MARK --set-xmark 0x1/0xffffffff',
    '-p tcp -m tcp --dport 81 -j MARK --set-xmark 0x1/0xffffffff',
    '-p tcp -m limit --limit 1/sec',
    '-m comment --comment MARK',
  ])('are none where no packet of it meets them: %s', (rule) => {
    expect(behind(`-A PREROUTING ${rule}`)).toEqual({ taken: TAKEN, left: [], foreign: 0 });
  });

  test('nor behind the rule, or behind one that has taken its packets', () => {
    const mark = '-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff';
    expect(read(dump(DNAT, mark)).taken).toEqual(TAKEN);
    const first = DNAT.replace('80', '81');
    expect(read(dump(first, mark, first.replace('10.0.0.5', '10.0.0.6')))).toMatchObject({
      taken: ['tcp 203.0.113.7 81 -> 10.0.0.5 81'],
      left: ['5 line 3 comes first, and takes all its packets'],
    });
  });

  test.each(['LOG --log-prefix "a b"', 'NFLOG --nflog-group 5', 'TRACE', 'AUDIT --type ACCEPT'])(
    'are named where they only report packets: -j %s',
    (target) => {
      expect(behind(`-A PREROUTING -p tcp -j ${target}`, '-A PREROUTING -p udp -j LOG')).toEqual({
        taken: TAKEN,
        left: ['4 packets of the forwards no longer come to it, since forwards come first'],
        foreign: 0,
      });
    },
  );

  test('unless no forward comes of it', () => {
    const text = dump('-A PREROUTING -j LOG', DNAT.replace('-d 203.0.113.7/32 ', ''));
    expect(read(text).left).toEqual(['4 it is for every address (no -d), a forward for one']);
  });
});
