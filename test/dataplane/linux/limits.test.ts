import { expect, test } from 'vitest';
import { UDPLITE_BY_IPTABLES } from '../../../src/dataplane/linux/capabilities.ts';
import { limitsOf } from '../../../src/dataplane/linux/limits.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import type { ProtocolLimits } from '../../../src/model/router.ts';
import { resolve } from '../../../src/program/resolve.ts';

function problemOf(protocol: string, limits: ProtocolLimits) {
  const input = { router: 'r', protocol, external_address: '192.0.2.1', external_port: 5001 };
  const spec = parseForwardSpec({ ...input, internal_address: '10.0.0.1' });
  const forward = { ...spec, id: 'one', revision: 1, createdAt: '', updatedAt: '' };
  return resolve([forward], {}, limits).problems.get('one');
}

test('a kernel that knows the ports of every protocol has no limits', () => {
  expect(limitsOf({ dccp: true, udplite: true }, 'nftables')).toEqual({});
});

test('a forward whose protocol the kernel cannot translate is an error that says why, and no other is', () => {
  const limits = limitsOf({ dccp: false, udplite: false }, 'nftables');
  expect(problemOf('dccp', limits)).toMatchObject({ state: 'error', message: expect.stringContaining('DCCP') });
  expect(problemOf('udplite', limits)).toMatchObject({ message: expect.stringContaining('nf_conntrack_checksum=0') });
  for (const protocol of ['tcp', 'udp', 'sctp']) expect(problemOf(protocol, limits)).toBeUndefined();
});

test('a forward that the backend iptables cannot do is an error that names it', () => {
  const limits = limitsOf({ dccp: true, udplite: true }, 'iptables');
  expect(problemOf('udplite', limits)).toMatchObject({ state: 'error', message: UDPLITE_BY_IPTABLES });
  for (const protocol of ['tcp', 'udp', 'sctp', 'dccp']) expect(problemOf(protocol, limits)).toBeUndefined();
});
