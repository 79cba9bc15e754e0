import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HatobaError } from '../../src/model/errors.ts';
import { type ForwardInput, parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';
import { forwardInput, nearMiss } from './arbitraries.ts';
import { outcome, refusal } from './refusal.ts';

const PLAIN: ForwardInput = { router: 'edge', external_port: 5001, internal_address: '192.168.50.11' };

test('what is left out takes its default', () => {
  expect(printForwardSpec(parseForwardSpec(PLAIN))).toEqual({
    name: null,
    description: null,
    project_id: null,
    labels: {},
    router: 'edge',
    protocol: 'tcp',
    external_address: 'gateway',
    external_port: '5001',
    internal_address: '192.168.50.11',
    internal_port: '5001',
    sources: [],
    enabled: true,
    expires_at: null,
  });
});

describe('bad input names its field', () => {
  test.each<[keyof ForwardInput, Partial<ForwardInput>, string, string]>([
    ['internal_address', { internal_address: '010.0.0.1' }, 'address_leading_zero', '010.0.0.1'],
    ['internal_address', { internal_address: '0x7f.1' }, 'address_not_dotted_quad', '0x7f.1'],
    ['internal_address', { internal_address: '127.1' }, 'address_not_dotted_quad', '127.1'],
    ['internal_address', { internal_address: '::ffff:1.2.3.4' }, 'address_ipv4_mapped', '::ffff:1.2.3.4'],
    ['internal_address', { internal_address: '224.0.0.5' }, 'address_multicast', '224.0.0.5'],
    ['internal_address', { internal_address: '0.0.0.0' }, 'address_unspecified', '0.0.0.0'],
    ['internal_address', { internal_address: '127.0.0.1' }, 'address_loopback', '127.0.0.1'],
    ['internal_address', { internal_address: '255.255.255.255' }, 'address_broadcast', '255.255.255.255'],
    ['internal_address', { internal_address: 'gateway' }, 'address_malformed', 'gateway'],
    ['external_address', { external_address: 'fe80::1' }, 'address_link_local', 'fe80::1'],
    ['external_address', { external_address: 'Gateway' }, 'address_malformed', 'Gateway'],
    ['external_address', { external_address: '' }, 'address_malformed', '""'],
    ['external_address', { external_address: '2001:db8::1' }, 'address_family_mismatch', '2001:db8::1'],
    ['external_port', { external_port: 0 }, 'port_out_of_range', '0'],
    ['external_port', { external_port: 65536 }, 'port_out_of_range', '65536'],
    ['external_port', { external_port: -1 }, 'port_malformed', '-1'],
    ['external_port', { external_port: 80.5 }, 'port_malformed', '80.5'],
    ['external_port', { external_port: Number.NaN }, 'port_malformed', 'NaN'],
    ['external_port', { external_port: '5010-5001' }, 'port_range_reversed', '5010-5001'],
    ['internal_port', { external_port: '5001-5010', internal_port: '1-9' }, 'port_range_size_mismatch', '5001-5010'],
    ['internal_port', { internal_port: '22-23' }, 'port_range_size_mismatch', '22-23'],
    ['internal_port', { internal_port: '' }, 'port_malformed', '""'],
    ['expires_at', { expires_at: '2026-02-30T00:00:00Z' }, 'time_malformed', '2026-02-30T00:00:00Z'],
    ['protocol', { protocol: 'icmp' }, 'protocol_unknown', 'icmp'],
    ['router', { router: '../x' }, 'router_malformed', '../x'],
    ['name', { name: 'two words' }, 'name_malformed', 'two words'],
    ['description', { description: 'a\u001b[31m' }, 'description_malformed', 'a\\u001b[31m'],
    ['project_id', { project_id: 'a\u0000' }, 'text_malformed', 'a\\u0000'],
    ['labels', { labels: { 'a b': 'x' } }, 'name_malformed', 'a b'],
    ['labels', { labels: { a: 'x\n' } }, 'text_malformed', 'x\\u000a'],
    ['sources', { sources: ['203.0.113.1/24'] }, 'cidr_host_bits', '203.0.113.1/24'],
    ['sources', { sources: ['203.0.113.0/33'] }, 'cidr_malformed', '203.0.113.0/33'],
    ['sources', { sources: ['0.0.0.0/0', '2001:db8::/32'] }, 'cidr_family_mismatch', '2001:db8::/32'],
    ['sources', { sources: ['::ffff:10.0.0.0/104'] }, 'address_ipv4_mapped', '::ffff:10.0.0.0'],
  ])('%s in %j: %s, quoting %j', (field, change, code, quoted) => {
    const error = refusal(() => parseForwardSpec({ ...PLAIN, ...change }));
    expect(error).toMatchObject({ field, code });
    expect(error.message).toContain(quoted);
    expect(error.hint).not.toBe('');
  });

  test('hostile labels do not reach prototypes', () => {
    const labels: unknown = JSON.parse('{"__proto__": "x"}');
    const own = Object.fromEntries(Object.entries(Object(labels)).map(([key, value]) => [key, String(value)]));
    expect(refusal(() => parseForwardSpec({ ...PLAIN, labels: own })).code).toBe('name_malformed');
    expect(parseForwardSpec({ ...PLAIN, labels: { constructor: 'x' } }).labels).toEqual({ constructor: 'x' });
  });
});

describe('properties', () => {
  test('parse(print(x)) = x', () => {
    fc.assert(
      fc.property(forwardInput, (input) => {
        const spec = parseForwardSpec(input);
        expect(parseForwardSpec(printForwardSpec(spec))).toEqual(spec);
      }),
      { numRuns: 500 },
    );
  });

  test('equal wishes print alike, however they are spelled', () => {
    fc.assert(
      fc.property(forwardInput, (input) => {
        const respelled: ForwardInput = {
          ...input,
          internal_address: input.internal_address.toUpperCase(),
          sources: [...(input.sources ?? []), ...(input.sources ?? [])].reverse(),
          labels: Object.fromEntries(Object.entries(input.labels ?? {}).reverse()),
        };
        const print = (wish: ForwardInput) => JSON.stringify(printForwardSpec(parseForwardSpec(wish)));
        expect(print(respelled)).toBe(print(input));
      }),
    );
  });

  test('a forward is frozen throughout', () => {
    fc.assert(
      fc.property(forwardInput, (input) => {
        const spec = parseForwardSpec(input);
        const parts = [spec, spec.labels, spec.sources, spec.internalAddress, spec.externalPorts, spec.internalPorts];
        return parts.every((part) => Object.isFrozen(part));
      }),
    );
  });

  test('any texts at all are a forward or an error of the catalogue that names the field', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), nearMiss);
    const wild: fc.Arbitrary<ForwardInput> = fc.record(
      {
        router: text,
        external_port: fc.oneof(text, fc.double(), fc.integer()),
        internal_address: fc.oneof(text, fc.constant('192.168.50.11')),
        internal_port: fc.oneof(text, fc.double()),
        external_address: text,
        protocol: text,
        name: text,
        labels: fc.dictionary(text, text),
        expires_at: text,
        sources: fc.array(text),
      },
      { requiredKeys: ['router', 'external_port', 'internal_address'] },
    );
    fc.assert(
      fc.property(wild, (input) => {
        const read = outcome(() => parseForwardSpec(input));
        if (read instanceof HatobaError) expect(Object.keys(input)).toContain(read.field);
        else expect(parseForwardSpec(printForwardSpec(read))).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });
});
