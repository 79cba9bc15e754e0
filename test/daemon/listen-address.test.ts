import { expect, test } from 'vitest';
import { loadConfig } from '../../src/daemon/config.ts';
import { listenAddress } from '../../src/daemon/listen-address.ts';

const withListen = (listen: string) => loadConfig({ listen }, {});

test('by default there is the socket alone', () => {
  expect(listenAddress(loadConfig({}, {}))).toBeNull();
});

test.each(['127.0.0.1:9797', '127.1.2.3:1', '[::1]:9797', 'localhost:9797'])(
  'without authentication, %s is fine: it is of this machine alone',
  (listen) => {
    expect(listenAddress(withListen(listen))).not.toBeNull();
  },
);

test.each(['0.0.0.0:9797', '[::]:9797', '192.168.1.5:9797', '[2001:db8::1]:9797'])(
  'without authentication, %s is refused',
  (listen) => {
    expect(() => listenAddress(withListen(listen))).toThrow(expect.objectContaining({ code: 'listen_unprotected' }));
  },
);

test('before a Neutron that asks nobody, too, what others can reach is refused', () => {
  const config = loadConfig({}, {});
  const open = { ...config, listen: '0.0.0.0:9797', authentication: 'tokens' } as const;
  expect(listenAddress(open)).not.toBeNull();
  const before = { ...open, neutron: { upstream: 'http://127.0.0.1:9696' } };
  expect(() => listenAddress(before)).toThrow(expect.objectContaining({ code: 'listen_unprotected' }));
  expect(listenAddress({ ...before, listen: '127.0.0.1:9797' })).not.toBeNull();
});
