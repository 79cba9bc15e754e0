import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { read } from './dump-reading.ts';

const RULE = '-d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5';
const TAKEN = ['tcp 203.0.113.7 80 -> 10.0.0.5 80'];

/** As iptables-restore 1.8.9 takes them. */
describe('what iptables-restore takes', () => {
  test.each([
    ['without chains', `*nat\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['a chain without counters', `*nat\n:PREROUTING ACCEPT\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['-F, -X, -Z and -P before rules', `*nat\n-F\n-X\n-Z\n-P PREROUTING ACCEPT\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['-F of one chain', `*nat\n-F PREROUTING\n--append PREROUTING ${RULE}\nCOMMIT\n`],
    ['chains made by -N', `*nat\n-N mine\n-A mine ${RULE}\n-A PREROUTING -j mine\nCOMMIT\n`],
    ['options before the command', `*nat\n-p tcp -A PREROUTING ${RULE.replace('-p tcp ', '')}\nCOMMIT\n`],
    ['carriage returns', `*nat\r\n:PREROUTING ACCEPT [0:0]\r\n-A PREROUTING ${RULE}\r\nCOMMIT\r\n`],
    ['counters', `*nat\n:PREROUTING ACCEPT [7:8]\n[5:6] -A PREROUTING ${RULE}\nCOMMIT\n`],
    ['a rule deleted again', `*nat\n-A PREROUTING -j ACCEPT\n-D PREROUTING -j ACCEPT\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['one deleted by its number', `*nat\n-A PREROUTING -j ACCEPT\n-D PREROUTING 1\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['a rule inserted at the beginning', `*nat\n-A PREROUTING -j ACCEPT\n-I PREROUTING ${RULE}\nCOMMIT\n`],
    ['at a place', `*nat\n-A PREROUTING -p udp -j ACCEPT\n-A PREROUTING -j ACCEPT\n-I PREROUTING 2 ${RULE}\nCOMMIT\n`],
    ['the same table twice', `*nat\n-A PREROUTING ${RULE}\nCOMMIT\n*nat\n-A PREROUTING ${RULE}\nCOMMIT\n`],
    ['rules of the other family', `*nat\n-6 -A PREROUTING -j ACCEPT\n-A PREROUTING ${RULE}\nCOMMIT\n`],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({ taken: TAKEN, left: [], foreign: 0 });
  });

  test('a later table replaces an earlier one, and what it does not have is named', () => {
    const other = RULE.replace('80', '81');
    expect(read(`*nat\n-A PREROUTING ${other}\nCOMMIT\n*nat\n-A PREROUTING ${RULE}\nCOMMIT\n`)).toEqual({
      taken: TAKEN,
      left: ['2 a later table nat in the file replaces its table, and does not have it'],
      foreign: 0,
    });
  });

  test('a file for both families', () => {
    const six = '-6 -A PREROUTING -d 2001:db8::7 -p tcp --dport 80 -j DNAT --to [fd00::5]:81';
    const four = `-4 -A PREROUTING ${RULE}`;
    expect(read(`*nat\n-A PREROUTING -p udp -j ACCEPT\n${four}\n${six}\nCOMMIT\n`)).toEqual({
      taken: [...TAKEN, 'tcp 2001:db8::7 80 -> fd00::5 81'],
      left: [],
      foreign: 0,
    });
  });
});

describe('a rule without an address, for packets by an outside interface', () => {
  const rule = '-i vmbr0 -p tcp -m tcp --dport 2222 -j DNAT --to 10.10.10.2:22';
  const text = (...rules: readonly string[]) =>
    ['*nat', ...rules.map((each) => `-A PREROUTING ${each}`), 'COMMIT', ''].join('\n');
  const gateways = { 4: parseAddress('203.0.113.7') };
  const outside = ['vmbr'];
  const own = (...addresses: readonly string[]) =>
    addresses.map((each) => ({ interface: 'vmbr0', address: parseAddress(each) }));
  const EVERY = 'it is for every address (no -d), a forward for one';

  test('is a forward on the gateway where the user says so', () => {
    expect(read(text(rule)).left).toEqual(['2 it is for packets by certain interfaces (-i vmbr0), a forward for all']);
    expect(read(text(rule), { outside }).left).toEqual([
      `2 ${EVERY}: --follow-gateway makes it one on the router's gateway`,
    ]);
    for (const addresses of [undefined, own('203.0.113.7')]) {
      const known = addresses === undefined ? {} : { addresses };
      expect(read(text(rule), { outside, gateways, ...known })).toEqual({
        taken: ['tcp gateway 2222 -> 10.10.10.2 22'],
        left: [],
        foreign: 0,
      });
    }
    const state = rule.replace('-m tcp', '-m state --state NEW');
    expect(read(text(state), { outside, gateways }).taken).toHaveLength(1);
  });

  test('where the interface has several, only for all of them', () => {
    const addresses = own('203.0.113.7', '203.0.113.8', '2001:db8::7');
    expect(read(text(rule), { outside, gateways, addresses }).left).toEqual([
      `2 ${EVERY}, and the interface has several (203.0.113.7, 203.0.113.8): --all-addresses makes a forward for each`,
    ]);
    expect(read(text(rule), { outside, gateways, addresses, allAddresses: true }).taken).toEqual([
      'tcp gateway 2222 -> 10.10.10.2 22',
      'tcp 203.0.113.8 2222 -> 10.10.10.2 22',
    ]);
    expect(read(text(rule), { outside, addresses, allAddresses: true }).taken).toEqual([
      'tcp 203.0.113.7 2222 -> 10.10.10.2 22',
      'tcp 203.0.113.8 2222 -> 10.10.10.2 22',
    ]);
  });

  test('but for those whose packets rules before it take, or leave to nobody', () => {
    const addresses = own('203.0.113.7', '203.0.113.8');
    const floating = '-d 203.0.113.8 -j DNAT --to-destination 10.10.10.3';
    expect(read(text(floating, rule), { outside, gateways, addresses }).taken).toEqual([
      'tcp gateway 2222 -> 10.10.10.2 22',
    ]);
    const unclear = '-d 203.0.113.7 -m mark --mark 1 -j ACCEPT';
    expect(read(text(unclear, rule), { outside, gateways, addresses, allAddresses: true })).toMatchObject({
      taken: [],
      left: ['3 line 2 comes first, and it cannot be told which of its packets that takes'],
    });
  });

  test('and for those of its own interface', () => {
    const addresses = [...own('203.0.113.7'), { interface: 'vmbr1', address: parseAddress('198.51.100.7') }];
    expect(read(text(rule), { outside, gateways, addresses }).taken).toEqual(['tcp gateway 2222 -> 10.10.10.2 22']);
    const second = rule.replace('vmbr0', 'vmbr1');
    expect(read(text(second), { outside, gateways, addresses }).left).toEqual([
      `2 ${EVERY}, and not for the router's gateway: --all-addresses makes one for 198.51.100.7`,
    ]);
    expect(read(text(second), { outside, gateways, addresses, allAddresses: true }).taken).toEqual([
      'tcp 198.51.100.7 2222 -> 10.10.10.2 22',
    ]);
    expect(read(text(rule.replace('vmbr0', 'vmbr+')), { outside, gateways, addresses }).left).toHaveLength(1);
    expect(read(text(rule.replace('vmbr0', 'vmbr2')), { outside, gateways, addresses }).left).toEqual([
      `2 ${EVERY}, and no address of the router is known there`,
    ]);
  });

  test('is none without an interface', () => {
    expect(read(text(rule.replace('-i vmbr0 ', '')), { outside, gateways, allAddresses: true }).left).toEqual([
      `2 ${EVERY}`,
    ]);
  });
});
