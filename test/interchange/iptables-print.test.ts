import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networksOf, unite } from '../../src/interchange/intervals.ts';
import { forwardsOfDump } from '../../src/interchange/iptables-forwards.ts';
import { printIptables } from '../../src/interchange/iptables-print.ts';
import { withJoinedSources } from '../../src/interchange/joined-sources.ts';
import { parseAddress } from '../../src/model/address.ts';
import { conflict } from '../../src/model/conflicts.ts';
import { type ForwardInput, type ForwardSpec, parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';
import { forwardInput } from '../model/arbitraries.ts';
import { spec } from '../registry/specs.ts';

const GATEWAYS = { 4: parseAddress('203.0.113.1'), 6: parseAddress('2001:db8::1') };

/** The lines between the chain and COMMIT. */
function rules(input: Partial<ForwardInput>, gateways = {}): readonly string[] {
  const forward = spec({ external_address: '203.0.113.7', external_port: 80, internal_address: '10.0.0.5', ...input });
  return printIptables([forward], forward.internalAddress.family, gateways).split('\n').slice(3, -2);
}

const TO = '-A PREROUTING -d 203.0.113.7/32';

describe('a forward as rules', () => {
  test.each<[Partial<ForwardInput>, string]>([
    [{}, `${TO} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5`],
    [{ internal_port: 8080 }, `${TO} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080`],
    [{ external_port: '80-90' }, `${TO} -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5`],
    [
      { external_port: '80-90', internal_port: 53 },
      `${TO} -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:53`,
    ],
    [
      { external_port: '80-90', internal_port: '8080-8090' },
      `${TO} -p tcp -m tcp --dport 80:90 -j DNAT --to-destination 10.0.0.5:8080-8090/80`,
    ],
    [{ protocol: 'udplite' }, `${TO} -p udplite -m multiport --dports 80 -j DNAT --to-destination 10.0.0.5`],
    [
      { description: 'say "hi" \\' },
      `${TO} -p tcp -m tcp --dport 80 -m comment --comment "say \\"hi\\" \\\\" -j DNAT --to-destination 10.0.0.5`,
    ],
    [{ description: '日'.repeat(86) }, `${TO} -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5`],
    [
      { external_address: '2001:db8::7', internal_address: 'fd00::5', internal_port: 81 },
      '-A PREROUTING -d 2001:db8::7/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd00::5]:81',
    ],
  ])('%j', (input, rule) => {
    expect(rules(input)).toEqual([rule]);
  });

  test('one for each source, and none for those that lie within others', () => {
    const [first, second] = rules({ name: 'web', sources: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24'] }).slice(1);
    expect(first).toBe(
      '-A PREROUTING -s 10.0.0.0/8 -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5',
    );
    expect(second).toContain('-s 192.0.2.0/24 ');
    expect(rules({ name: 'web', sources: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24'] })).toHaveLength(3);
  });

  test('the gateway as the address it is now', () => {
    expect(rules({ external_address: 'gateway' }, GATEWAYS)[0]).toContain('-d 203.0.113.1/32 ');
    expect(rules({ external_address: 'gateway', name: 'web' })).toEqual([
      '# web',
      "# left out, since the router's IPv4 address is not known",
    ]);
  });

  test.each<[Partial<ForwardInput>, string]>([
    [{ enabled: false }, '# it is disabled:'],
    [{ expires_at: '2030-01-01T00:00:00Z' }, '# it ends at 2030-01-01T00:00:00.000Z, and a rule does not:'],
    [{ protocol: 'udplite', internal_port: 81 }, '# iptables cannot change the ports of UDP-Lite:'],
  ])('what iptables cannot do is a comment: %j', (input, reason) => {
    const [first, ...others] = rules(input);
    expect(first).toBe(reason);
    expect(others).toHaveLength(1);
    expect(others[0]).toMatch(/^# -A PREROUTING /);
  });
});

/** What of a forward a rule can tell, with its sources in the fewest networks. */
function essence(forwards: readonly ForwardInput[]): readonly string[] {
  const plain = forwards.map(({ name: _name, project_id: _project, labels: _labels, ...rest }) => {
    const { sources, internalAddress } = parseForwardSpec(rest);
    return { ...rest, sources: networksOf(internalAddress.family, unite(sources, [])) };
  });
  const joined = withJoinedSources(plain.map((forward) => ({ forward, lines: [] })));
  return joined.map(({ forward }) => {
    const isAnyone = forward.sources?.some((source) => source.endsWith('/0')) === true;
    return JSON.stringify(printForwardSpec(parseForwardSpec(isAnyone ? { ...forward, sources: [] } : forward)));
  });
}

test('what is printed is read as the same forwards', () => {
  let count = 0;
  fc.assert(
    fc.property(fc.array(forwardInput, { maxLength: 8 }), (inputs) => {
      const specs = inputs
        .map((input) => ({ ...input, router: 'r1', enabled: true, expires_at: null }))
        .map((input) => (input.protocol === 'udplite' ? { ...input, internal_port: input.external_port } : input))
        .map(parseForwardSpec);
      const forwards = specs.filter(
        (one, index) => !specs.slice(0, index).some((other) => conflict(one, other, GATEWAYS)),
      );
      for (const family of [4, 6] as const) {
        const own: readonly ForwardSpec[] = forwards.filter((forward) => forward.internalAddress.family === family);
        const text = printIptables(own, family, GATEWAYS);
        const { taken, left } = forwardsOfDump(text, { file: 'printed', router: 'r1', gateways: GATEWAYS });
        expect(left).toEqual([]);
        const readable = own.map((forward) => ({
          ...printForwardSpec(forward),
          description: printable(forward.description),
        }));
        expect(essence(taken.map(({ forward }) => forward))).toEqual(essence(readable));
        count += taken.length;
      }
    }),
    { numRuns: 300 },
  );
  expect(count).toBeGreaterThan(300);
});

function printable(description: string | null): string | null {
  return description === '' || new TextEncoder().encode(description ?? '').length > 255 ? null : description;
}
