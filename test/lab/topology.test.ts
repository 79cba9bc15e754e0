import { describe, expect, test } from 'vitest';
import { ROUTER_NAMESPACE, TOPOLOGY } from '../../src/lab/topology.ts';
import { isUuid } from '../../src/model/ids.ts';
import { routerOfNamespace } from '../../src/model/router.ts';

const ENDS = TOPOLOGY.links.flat();

test('the router is one of Neutron’s', () => {
  expect(isUuid(routerOfNamespace(ROUTER_NAMESPACE))).toBe(true);
});

describe.each(ENDS)('$name in $namespace', ({ namespace, name, addresses }) => {
  test('has a name that Linux takes, in a namespace that is made', () => {
    expect(name.length).toBeLessThanOrEqual(15);
    expect(TOPOLOGY.namespaces.map((one) => one.name)).toContain(namespace);
  });

  test('is named as Neutron does, in the router', () => {
    if (namespace === ROUTER_NAMESPACE) expect(name).toMatch(/^q[gr]-[\da-f]{8}-[\da-f]{2}$/);
    else expect(name).toBe('eth0');
  });

  test('has an address of each family', () => {
    expect(addresses).toEqual([
      expect.stringMatching(/^192\.168\.(?:1|50)\.\d+\/24$/),
      expect.stringMatching(/^2001:db8:.*\/64$/),
    ]);
  });
});

test('no address and no interface is there twice', () => {
  const addresses = ENDS.flatMap((end) => end.addresses);
  expect(new Set(addresses).size).toBe(addresses.length);
  const interfaces = ENDS.map((end) => `${end.namespace} ${end.name}`);
  expect(new Set(interfaces).size).toBe(interfaces.length);
});
