import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refuseCollisions } from '../../../src/api/neutron/collisions.ts';
import { printForwarding } from '../../../src/api/neutron/forwarding-documents.ts';
import { changedSpec, isAt, newSpec } from '../../../src/api/neutron/forwarding-spec.ts';
import { readWish } from '../../../src/api/neutron/forwarding-wish.ts';
import { addressOf, parseAddress } from '../../../src/model/address.ts';
import { type Forward, type ForwardSpec, parseForwardSpec, printForwardSpec } from '../../../src/model/forward.ts';

const PORT = '00000000-0000-4000-8000-00000000cafe';
const GATEWAY = {
  id: '00000000-0000-4000-8000-0000000000f1',
  address: parseAddress('192.168.1.100'),
  router: 'edge',
  routerId: '00000000-0000-4000-8000-0000000000a1',
  networkId: '00000000-0000-4000-8000-0000000000b1',
  portId: '00000000-0000-4000-8000-0000000000c1',
  projectId: '',
  tags: [],
};

function stored(spec: ForwardSpec): Forward {
  return { ...spec, id: '00000000-0000-4000-8000-00000000beef', revision: 1, createdAt: '', updatedAt: '' };
}

const address = fc.integer({ min: 0, max: 65_535 }).map((low) => addressOf(4, 0x0a00_0000n + BigInt(low)).text);
const port = fc.integer({ min: 1, max: 65_535 });
const range = (count: number) =>
  fc.integer({ min: 1, max: 65_536 - count }).map((first) => `${first}:${first + count - 1}`);
/** On both sides as many ports, or one inside. */
const ports = fc.oneof(
  fc.record({ external_port: port, internal_port: port }),
  fc
    .integer({ min: 2, max: 100 })
    .chain((count) => fc.record({ external_port_range: range(count), internal_port_range: range(count) })),
  fc
    .integer({ min: 2, max: 100 })
    .chain((count) => fc.record({ external_port_range: range(count), internal_port: port })),
);
const body = fc
  .tuple(
    ports,
    fc.record({
      protocol: fc.constantFrom('tcp', 'udp', 'sctp', 'dccp'),
      internal_ip_address: address,
      internal_port_id: fc.constant(PORT),
      description: fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/\p{Cc}/gu, '')),
    }),
  )
  .map(([some, others]) => ({ ...some, ...others }));

function specOf(attributes: Readonly<Record<string, unknown>>): ForwardSpec {
  const wish = readWish(attributes, 'create');
  return newSpec(wish, GATEWAY, { address: wish.internalAddress ?? GATEWAY.address, labels: {} }, null);
}

test('what is answered is what was asked for', () => {
  fc.assert(
    fc.property(body, (attributes) => {
      const { id, ...answered } = printForwarding(stored(specOf(attributes)), PORT, false);
      expect(answered).toEqual(attributes);
      expect(id).toBe(stored(specOf(attributes)).id);
    }),
  );
});

test('what was answered can be asked for again, and changes nothing', () => {
  fc.assert(
    fc.property(body, (attributes) => {
      const spec = specOf(attributes);
      const { id: _, ...answered } = printForwarding(stored(spec), PORT, false);
      expect(printForwardSpec(changedSpec(spec, readWish(answered, 'update'), null))).toEqual(printForwardSpec(spec));
    }),
  );
});

test('a change of one forward into another makes it the other', () => {
  fc.assert(
    fc.property(body, body, (one, other) => {
      const wish = readWish(other, 'update');
      const target = { address: wish.internalAddress ?? GATEWAY.address, labels: {} };
      expect(printForwardSpec(changedSpec(specOf(one), wish, target))).toEqual(printForwardSpec(specOf(other)));
    }),
  );
});

test('single ports are shown as ranges where Neutron’s way is wanted', () => {
  const spec = specOf({
    protocol: 'tcp',
    internal_ip_address: '10.0.0.1',
    internal_port_id: PORT,
    external_port_range: '80:89',
    internal_port: 8080,
  });
  expect(printForwarding(stored(spec), null, true)).toMatchObject({
    external_port_range: '80:89',
    internal_port: 8080,
    internal_port_range: '8080:8080',
    internal_port_id: null,
  });
  expect(printForwarding(stored(spec), null, true)).not.toHaveProperty('external_port');
});

const SPEC = { router: 'edge', external_port: 5001, internal_address: '10.0.0.1', internal_port: 22 };

test.each([
  [SPEC, true],
  [{ ...SPEC, external_address: '192.168.1.100' }, true],
  [{ ...SPEC, external_address: '192.168.1.101' }, false],
  [{ ...SPEC, router: 'other' }, false],
  [{ ...SPEC, internal_address: 'fd00::1' }, false],
])('%j is at the floating IP: %j', (input, expected) => {
  expect(isAt(GATEWAY, parseForwardSpec(input))).toBe(expected);
});

describe('what collides', () => {
  const collides = (there: object, wanted: object, before: object | null = null): string | null => {
    const [other, spec] = [there, wanted].map((fields) => parseForwardSpec({ ...SPEC, ...fields }));
    if (other === undefined || spec === undefined) throw new Error('two specs');
    try {
      refuseCollisions(GATEWAY, spec, before === null ? null : parseForwardSpec({ ...SPEC, ...before }), [other]);
      return null;
    } catch (error) {
      return /with the (\w+)_port_range/.exec(String(error))?.[1] ?? String(error);
    }
  };

  test.each<[string, object, object, string | null]>([
    ['the port inside first', {}, {}, 'internal'],
    ['one port inside twice', {}, { external_port: 5002 }, 'internal'],
    ['one port outside twice', {}, { internal_port: 23 }, 'external'],
    ['another protocol', {}, { protocol: 'udp' }, null],
    ['another address inside', {}, { internal_address: '10.0.0.2', external_port: 5002 }, null],
    ['a port in a range inside', { external_port: '1-9', internal_port: '20-28' }, {}, 'internal'],
    ['ports at another address outside', { external_address: '203.0.113.7', internal_port: 23 }, {}, null],
    ['one port inside, at another address outside', { external_address: '203.0.113.7' }, {}, 'internal'],
    ['disjoint sources', { sources: ['198.51.100.0/24'] }, { sources: ['203.0.113.0/24'] }, null],
    ['overlapping sources', { sources: ['198.51.100.0/24'] }, {}, 'internal'],
  ])('%s', (_what, there, wanted, expected) => {
    expect(collides(there, wanted)).toBe(expected);
  });

  test('is not what was so before', () => {
    expect(collides({ external_port: 5002 }, { description: 'new' }, {})).toBeNull();
    expect(collides({ external_port: 5002 }, { external_port: 5002 }, {})).toContain("'external_port': 5002");
    expect(collides({ external_port: '5002-5003' }, { external_port: 5002 }, {})).toBe('external');
    expect(collides({ external_port: 5002 }, { sources: ['198.51.100.0/24'] }, { sources: ['203.0.113.0/24'] })).toBe(
      'internal',
    );
  });
});
