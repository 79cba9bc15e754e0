import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/daemon/config.ts';
import { parseConfig } from '../../src/daemon/config-file.ts';

let directory: string;
let config: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-config-'));
  config = join(directory, 'hatoba.yaml');
  mkdirSync(join(directory, 'conf.d'));
  writeFileSync(config, '');
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

describe('loading', () => {
  test('gives defaults for everything', () => {
    expect(loadConfig({ config }, {})).toEqual({
      node: hostname(),
      store: 'sqlite:/var/lib/hatoba/hatoba.db',
      socket: '/run/hatoba/hatoba.sock',
      listen: null,
      authentication: 'none',
      keystone: null,
      tls: null,
      rate_limit: { requests_per_second: 100, burst: 200 },
      connections_per_address: 128,
      roles: ['api', 'agent'],
      log_level: 'info',
      backend: 'nftables',
      nft_driver: 'auto',
      namespace_directory: '/run/netns',
      accounting: false,
      neutron: true,
      routers: [],
      host: null,
      auto_ports: '20000-29999',
      projects: [],
      forward_metrics: 1000,
    });
  });

  test('goes from the file over conf.d in alphabetical order to the environment and the flags', () => {
    const node = () => loadConfig({ config }, {}).node;
    write('hatoba.yaml', 'node: file\nneutron: false\n');
    expect(node()).toBe('file');
    write('conf.d/20-later.yaml', 'node: later\n');
    write('conf.d/10-first.yaml', 'node: first\n');
    write('conf.d/30-other.yml', 'node: other\n');
    expect(node()).toBe('later');
    expect(loadConfig({ config }, { HATOBA_NODE: 'environment' }).node).toBe('environment');
    expect(loadConfig({ config, node: 'flag' }, { HATOBA_NODE: 'environment' })).toMatchObject({
      node: 'flag',
      neutron: false,
    });
  });

  test('a later file replaces whole keys', () => {
    write('hatoba.yaml', 'routers:\n- { namespace: a, outside: [o], inside: [i] }\n');
    write('conf.d/a.yaml', 'routers:\n- { namespace: b, outside: [o], inside: [i] }\n');
    expect(loadConfig({ config }, {}).routers).toEqual([{ namespace: 'b', outside: ['o'], inside: ['i'] }]);
  });

  test('takes every variable and every flag', () => {
    const environment = {
      HATOBA_CONFIG: config,
      HATOBA_STORE: 'sqlite:/e.db',
      HATOBA_SOCKET: '/e.sock',
      HATOBA_NODE: 'e',
      HATOBA_LOG_LEVEL: 'warn',
    };
    const fromEnvironment = { store: 'sqlite:/e.db', socket: '/e.sock', node: 'e', log_level: 'warn' };
    expect(loadConfig({}, environment)).toMatchObject(fromEnvironment);
    const flags = { store: 'sqlite:/f.db', socket: '/f.sock', node: 'f' };
    const fromFlags = { ...flags, roles: ['agent'], log_level: 'warn' };
    expect(loadConfig({ ...flags, roles: 'agent' }, environment)).toMatchObject(fromFlags);
  });

  test('a file that was named has to be there', () => {
    const missing = join(directory, 'missing.yaml');
    expect(() => loadConfig({ config: missing }, {})).toThrow(`${missing}: ENOENT`);
    expect(() => loadConfig({}, { HATOBA_CONFIG: missing })).toThrow(`${missing}: ENOENT`);
  });

  test.each([
    [{ HATOBA_STORE: 'etcd://x' }, {}, 'the environment: store cannot be etcd://x'],
    [{ HATOBA_LOG_LEVEL: 'loud' }, {}, 'the environment: log_level cannot be loud'],
    [{ HATOBA_SOCKET: 'relative.sock' }, {}, 'the environment: socket cannot be relative.sock'],
    [{}, { roles: 'api,cook' }, 'the command line: roles cannot be api,cook'],
    [{}, { roles: '' }, 'the command line: roles cannot be '],
    [{}, { node: '-n' }, 'the command line: node cannot be -n'],
  ])('refuses %j %j', (environment, flags, message) => {
    expect(() => loadConfig({ config, ...flags }, environment)).toThrow(message);
  });
});

describe('a file', () => {
  test('may say everything', () => {
    const text = `
node: n1
store: sqlite:/s.db
socket: /s.sock
roles: [api]
log_level: debug
backend: iptables
nft_driver: nft
namespace_directory: /run/netns
accounting: true
neutron: false
routers:
- namespace: edge-*
  outside: [eth0]
  inside: []
  backend: nftables
host:
  outside: [eth0]
  inside: [br-]
  backend: iptables
auto_ports: 5000-5999
projects:
- project: red
  quota: 0
  external_ports: 443
  external_addresses: [203.0.113.7, 2001:db8:1::/64]
  routers:
  - router: edge-*
    external_ports: 30000-30100
`;
    expect(Object.keys(parseConfig('f', text))).toHaveLength(14);
  });

  test.each([
    ['nothing', '', {}],
    ['a comment', '# nothing yet\n', {}],
    ['no host', 'host: null', { host: null }],
    [
      "Neutron's API as Neutron has it",
      'neutron:\n  single_port_ranges: true',
      { neutron: { single_port_ranges: true } },
    ],
  ])('may say %s', (_, text, expected) => {
    expect(parseConfig('f', text)).toEqual(expected);
  });

  test.each([
    ['node: a\nstroe: sqlite:/x\n', 'f:2: there is no key stroe'],
    ['routers:\n- namespace: a\n  outside: [o]\n  inside: []\n  nat: true\n', 'f:5: there is no key routers.0.nat'],
    [
      'routers:\n- namespace: a\n  outside: []\n  inside: []\n',
      'f:3: routers.0.outside must NOT have fewer than 1 items',
    ],
    ['routers:\n- namespace: a\n  outside: [o]\n', "f:2: routers.0 must have required property 'inside'"],
    ['routers:\n- namespace: ../x\n  outside: [o]\n  inside: []\n', 'f:2: routers.0.namespace must match pattern'],
    ['neutron: "no"\n', 'f:1: neutron must be boolean,object'],
    ['\n\nlog_level: loud\n', 'f:3: log_level must be one of debug, info, warn, error'],
    ['roles: [api, api]\n', 'f:1: roles must NOT have duplicate items'],
    ['roles:\n- api\n- cook\n', 'f:3: roles.1 must be one of api, agent'],
    [
      'host:\n  outside: [sixteen-characters]\n  inside: []\n',
      'f:2: host.outside.0 must NOT have more than 15 characters',
    ],
    ['backend: ipchains\n', 'f:1: backend must be one of nftables, iptables'],
    ['host: { outside: [o], inside: [], backend: x }\n', 'f:1: host.backend must be one of nftables, iptables'],
    ['store: 5\n', 'f:1: store must be string'],
    ['auto_ports: 2-1\n', 'f:1: auto_ports must be a port or a range of ports, such as 20000-29999'],
    ['auto_ports: 1-65536\n', 'f:1: auto_ports must be a port or a range of ports, such as 20000-29999'],
    ['projects:\n- quota: 3\n', "f:2: projects.0 must have required property 'project'"],
    ['projects:\n- project: red\n  quota: -1\n', 'f:3: projects.0.quota must be >= 0'],
    [
      'projects:\n- project: red\n  external_ports: 2-1\n',
      'f:3: projects.0.external_ports must be a port or a range of ports, such as 20000-29999',
    ],
    [
      'projects:\n- project: red\n  external_addresses:\n  - 203.0.113.7/24\n',
      'f:4: projects.0.external_addresses.0 must be an address or a network, such as 203.0.113.7 or 203.0.113.0/28',
    ],
    ['- a\n', 'f: the file must be object'],
    ['just text', 'f: the file must be object'],
    ['node: a\n  b: c\n', 'f:'],
    ['node: a\nnode: b\n', 'f:2: Map keys must be unique'],
    ['node: [\n', 'f:'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseConfig('f', text)).toThrow(message);
    expect(() => parseConfig('f', text)).toThrow(expect.objectContaining({ code: 'config_malformed' }));
  });
});
