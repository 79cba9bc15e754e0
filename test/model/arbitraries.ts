import fc from 'fast-check';
import { addressOf } from '../../src/model/address.ts';
import { type Forward, type ForwardInput, parseForwardSpec } from '../../src/model/forward.ts';
import type { Protocol } from '../../src/model/protocol.ts';

export const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'sctp', 'dccp', 'udplite'];

/** Unicast, neither special nor reserved; made from octets, without help of the code under test. */
export const usableIPv4Text = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
  .filter(([a, b]) => a !== 127 && !(a === 169 && b === 254))
  .map((octets) => octets.join('.'));

/** Eight groups, often zero, so that runs of every length and place come up. */
const groups = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(0xffff)), {
  minLength: 7,
  maxLength: 7,
});

/** Global or unique local, in one of the spellings RFC 4291 allows. */
export const usableIPv6Text = fc
  .record({
    first: fc.constantFrom(0x2001, 0x2a00, 0x3fff, 0xfd00),
    rest: groups,
    upper: fc.boolean(),
    pad: fc.boolean(),
  })
  .map(({ first, rest, upper, pad }) => {
    const text = [first, ...rest].map((group) => group.toString(16).padStart(pad ? 4 : 1, '0')).join(':');
    return upper ? text.toUpperCase() : text;
  });

/** Near misses: strings over the characters that addresses, networks and ports are written with. */
export const nearMiss = fc.string({ unit: fc.constantFrom(...'00112589afFxX..::::%/-'.split('')), maxLength: 45 });

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !/\p{Cc}/u.test(value));
const port = fc.integer({ min: 1, max: 65535 });

/** In UTC or beside it, with and without a fraction of a second. */
const time = fc
  .record({
    date: fc.date({ min: new Date('1970-01-02'), max: new Date('2999-12-30'), noInvalidDate: true }),
    fraction: fc.constantFrom('', '.5', '.123456789'),
    zone: fc.constantFrom('Z', '+09:00', '-03:30'),
  })
  .map(({ date, fraction, zone }) => `${date.toISOString().slice(0, 19)}${fraction}${zone}`);

const ports = fc
  .record({ external: port, internal: port, size: fc.nat(300), single: fc.boolean() })
  .map(({ external, internal, size, single }) => {
    const count = Math.min(size, 65535 - external, 65535 - internal);
    const range = (first: number) => (count === 0 ? String(first) : `${first}-${first + count}`);
    return { external_port: range(external), internal_port: single ? String(internal) : range(internal) };
  });

/** A network without bits behind its prefix, and not IPv4 dressed as IPv6. */
export function network(family: 4 | 6): fc.Arbitrary<string> {
  const width = family === 4 ? 32 : 128;
  return fc
    .record({ value: fc.bigInt({ min: 0n, max: 2n ** BigInt(width) - 1n }), length: fc.nat(width) })
    .map(({ value, length }) => {
      const kept = BigInt(width - length);
      return `${addressOf(family, (value >> kept) << kept).text}/${length}`;
    })
    .filter((cidr) => !cidr.startsWith('::ffff:'));
}

function inputOf(family: 4 | 6): fc.Arbitrary<ForwardInput> {
  const address = family === 4 ? usableIPv4Text : usableIPv6Text;
  return fc
    .tuple(
      ports,
      fc.record(
        {
          name: fc.option(name),
          description: fc.option(text),
          project_id: fc.option(text),
          labels: fc.dictionary(name, text, { maxKeys: 4 }),
          protocol: fc.constantFrom(...PROTOCOLS),
          external_address: fc.oneof(fc.constant('gateway'), address),
          sources: fc.array(network(family), { maxLength: 4 }),
          enabled: fc.boolean(),
          expires_at: fc.option(time),
        },
        { requiredKeys: [] },
      ),
      address,
      fc.oneof(fc.uuid(), fc.constantFrom('host', 'edge-1', 'qrouter-x')),
    )
    .map(([portFields, options, internal_address, router]) => ({
      router,
      internal_address,
      ...portFields,
      ...options,
    }));
}

/** Everything that a user may write of a forward, both families. */
export const forwardInput: fc.Arbitrary<ForwardInput> = fc.oneof(inputOf(4), inputOf(6));

/** A forward with what the test is about; the rest plain. */
export function forwardOf(
  input: Partial<ForwardInput>,
  record: Partial<Pick<Forward, 'id' | 'revision' | 'createdAt'>> = {},
): Forward {
  const spec = parseForwardSpec({ router: 'r', external_port: 5001, internal_address: '192.168.50.11', ...input });
  const createdAt = record.createdAt ?? '2026-01-01T00:00:00.000Z';
  const id = record.id ?? '00000000-0000-4000-8000-000000000001';
  return { ...spec, id, revision: record.revision ?? 1, createdAt, updatedAt: createdAt };
}

/** A UUID that sorts like its number. */
export function idOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Forwards of one router in a universe so small that they meet often: single ports, no sources. */
export const crowdedForwards: fc.Arbitrary<readonly Forward[]> = fc
  .array(
    fc.record({
      family: fc.constantFrom(4 as const, 6 as const),
      external: fc.constantFrom('gateway', '1'),
      protocol: fc.constantFrom<Protocol>('tcp', 'udp'),
      port: fc.integer({ min: 1, max: 2 }),
      target: fc.integer({ min: 1, max: 3 }),
      enabled: fc.constantFrom(true, true, true, false),
      second: fc.nat(3),
    }),
    { maxLength: 14, size: 'max' },
  )
  .map((wishes) =>
    wishes.map(({ family, external, protocol, port: externalPort, target, enabled, second }, index) =>
      forwardOf(
        {
          protocol,
          enabled,
          external_address: external === 'gateway' ? 'gateway' : outside(family, external),
          external_port: externalPort,
          internal_address: family === 4 ? `192.168.50.${target}` : `fd00::${target}`,
          internal_port: 20 + target,
        },
        // Ids run against the age, so that only the age can decide; equal ages leave it to the id.
        { id: idOf(1000 - index), createdAt: `2026-01-01T00:00:0${second}.000Z` },
      ),
    ),
  );

/** The outside addresses that `crowdedForwards` names. */
export function outside(family: 4 | 6, host: string): string {
  return family === 4 ? `203.0.113.${host}` : `2001:db8::${host}`;
}

/** Gateways that may be unknown, be one of the named outside addresses, or another. */
export const crowdedGateways = fc
  .record({ four: fc.constantFrom(null, 1n, 2n), six: fc.constantFrom(null, 1n, 2n) })
  .map(({ four, six }) => ({
    ...(four === null ? {} : { 4: addressOf(4, 0xcb007100n + four) }),
    ...(six === null ? {} : { 6: addressOf(6, (0x20010db8n << 96n) + six) }),
  }));
