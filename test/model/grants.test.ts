import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { type GrantInput, parseGrants, poolAmong } from '../../src/model/grants.ts';

const NEUTRON = '5f1b3c08-7d42-4e6a-9b0e-3a1c5d7e9f20';

const ENTRIES: readonly GrantInput[] = [
  {
    project: 'red',
    quota: 10,
    external_ports: '20000-29999',
    routers: [{ router: 'edge-1', external_ports: '443' }, { router: 'edge-*' }, { router: `qrouter-${NEUTRON}` }],
  },
  { project: 'idle', quota: 0 },
  { project: '*', quota: 3, routers: [{ router: 'shared' }] },
];

test.each([
  ['red', 'edge-1', '443-443'],
  ['red', 'edge-2', '20000-29999'],
  ['red', NEUTRON, '20000-29999'],
  ['red', 'core', 'none'],
  ['red', 'shared', 'none'],
  ['idle', 'shared', 'none'],
  ['anybody', 'shared', '1-65535'],
  ['anybody', 'edge-2', 'none'],
])('%s may have on %s the ports %s', (project, router, expected) => {
  const ports = parseGrants(ENTRIES).externalPorts(project, router);
  expect(ports === null ? 'none' : `${ports.first}-${ports.last}`).toBe(expected);
});

test.each([
  ['edge-1', '203.0.113.7', true],
  ['edge-1', '198.51.100.1', false],
  ['edge-2', '198.51.100.14', true],
  ['edge-2', '198.51.100.17', false],
  ['edge-2', '2001:db8:1::7', true],
  ['edge-2', '203.0.113.7', false],
  ['edge-3', '198.51.100.14', false],
  ['own', '198.51.100.14', true],
  ['core', '198.51.100.14', false],
])('on %s, red may have %s: %j', (router, address, expected) => {
  const routers = [
    { router: 'edge-1', external_addresses: ['203.0.113.7'] },
    { router: 'edge-3', external_addresses: [] },
    { router: 'edge-*' },
  ];
  const red = { project: 'red', external_addresses: ['198.51.100.0/28', '2001:db8:1::/64'], routers };
  const grants = parseGrants([red, { project: 'blue', routers: [{ router: '*' }] }], (_, which) => which === 'own');
  expect(grants.hasExternalAddress('red', router, parseAddress(address))).toBe(expected);
  expect(grants.hasExternalAddress('blue', router, parseAddress(address))).toBe(false);
});

test('a quota is of each project; one without an entry has that of all others, or nothing at all', () => {
  const grants = parseGrants(ENTRIES);
  expect(['red', 'idle', 'anybody'].map((project) => grants.quota(project))).toEqual([10, 0, 3]);
  expect(parseGrants([]).quota('red')).toBeNull();
  expect(parseGrants([]).externalPorts('red', 'edge-1')).toBeNull();
});

test('a Neutron router is known by its id and by the names of its namespaces', () => {
  for (const router of [NEUTRON, `qrouter-${NEUTRON}`, `snat-${NEUTRON}`, 'qrouter-*', '*']) {
    const grants = parseGrants([{ project: 'p', routers: [{ router }] }]);
    expect(grants.externalPorts('p', NEUTRON)).not.toBeNull();
  }
});

test('routers that somebody else knows to be permitted have the ports of the project', () => {
  const grants = parseGrants(ENTRIES, (project, router) => project === 'red' && router === 'own');
  expect(grants.externalPorts('red', 'own')).toEqual({ first: 20_000, last: 29_999 });
  expect(grants.externalPorts('anybody', 'own')).toBeNull();
});

test('two entries of one project are refused, and so is a range that is none', () => {
  expect(() => parseGrants([{ project: 'red' }, { project: 'red' }])).toThrow('the project red is there twice');
  expect(() => parseGrants([{ project: 'red', external_ports: '9-1' }])).toThrow('9-1');
});

const range = fc
  .tuple(fc.integer({ min: 1, max: 50 }), fc.nat(20))
  .map(([first, size]) => ({ first, last: first + size }));

test('ports are chosen among those that are permitted, and where there are any, among those meant for it', () => {
  fc.assert(
    fc.property(range, range, (permitted, auto) => {
      const pool = poolAmong(permitted, auto);
      const inside = (port: number, { first, last }: typeof pool) => first <= port && port <= last;
      const all = Array.from({ length: 80 }, (_, port) => port);
      const both = all.filter((port) => inside(port, permitted) && inside(port, auto));
      const expected = both.length > 0 ? both : all.filter((port) => inside(port, permitted));
      expect(all.filter((port) => inside(port, pool))).toEqual(expected);
    }),
  );
});
