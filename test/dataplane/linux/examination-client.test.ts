import { expect, test } from 'vitest';
import { clientOf } from '../../../src/dataplane/linux/examination/client.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { parseCidr } from '../../../src/model/cidr.ts';

test.each([
  ['192.168.1.100', [], '192.0.2.1'],
  ['192.0.2.1', [], '198.51.100.1'],
  ['192.0.2.77', [], '198.51.100.1'],
  ['198.51.100.9', [], '192.0.2.1'],
  ['2a00:1450::5', [], '2001:db8::1'],
  ['2001:db8:7::1', [], '2001:db8::1'],
  ['2001:db8::7', [], '3fff::1'],
  ['192.168.1.100', ['10.0.0.0/8', '192.0.2.0/24'], '10.0.0.1'],
  ['192.168.1.1', ['192.168.1.0/24'], '192.168.1.2'],
  ['192.168.1.1', ['192.168.1.1/32'], '192.168.1.1'],
  ['192.168.1.1', ['192.168.1.0/31'], '192.168.1.1'],
  ['2001:db8::1', ['2001:db8::/64'], '2001:db8::2'],
])('for a forward at %s with the sources %j, %s stands for a client', (external, sources, client) => {
  const rule = { external: parseAddress(external), sources: sources.map(parseCidr) };
  expect(clientOf(rule).text).toBe(client);
});

test('an address of the router stands for no client', () => {
  const rule = { external: parseAddress('192.0.2.1'), sources: [parseCidr('10.0.0.0/24')] };
  expect(clientOf(rule, new Set(['10.0.0.1', '10.0.0.2'])).text).toBe('10.0.0.3');
});
