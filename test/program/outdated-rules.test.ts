import { expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import type { Forward, ForwardInput } from '../../src/model/forward.ts';
import type { Baseline } from '../../src/model/status.ts';
import { outdatedRules } from '../../src/program/outdated-rules.ts';
import { resolve } from '../../src/program/resolve.ts';
import { forwardOf, idOf } from '../model/arbitraries.ts';

const [OLD, NOW] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
const [FIRST, SECOND, SIX] = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].map(parseAddress);
const BASELINE: Baseline = { revision: 5, at: OLD, gateways: FIRST === undefined ? [] : [FIRST] };

function forward(input: Partial<ForwardInput>, id = 1): Forward {
  return forwardOf(
    { internal_address: '10.0.0.1', external_port: 80, internal_port: 8080, ...input },
    { id: idOf(id) },
  );
}

/** The rules that may have been there, as `address:port → address:port`. */
function outdated(forwards: readonly Forward[], retired: readonly Forward[], baseline = BASELINE, second = false) {
  const four = second ? SECOND : FIRST;
  const gateways = { ...(four && { 4: four }), ...(SIX && { 6: SIX }) };
  const { program } = resolve(forwards, gateways, {}, NOW);
  const byId = new Map(forwards.map((each) => [each.id, each]));
  return outdatedRules({ baseline, forwards: byId, retired, gateways, program }).map(
    ({ external, externalPorts, internal, internalPorts }) =>
      `${external.text}:${externalPorts.first} → ${internal.text}:${internalPorts.first}`,
  );
}

test.each([
  ['is as it was', {}, []],
  ['expired since', { expires_at: '2026-01-01T12:00:00.000Z' }, ['192.0.2.1:80 → 10.0.0.1:8080']],
  ['expired just then', { expires_at: OLD }, []],
  ['expired before', { expires_at: '2025-12-31T12:00:00.000Z' }, []],
  ['is still to expire', { expires_at: '2026-01-03T00:00:00.000Z' }, []],
  ['is disabled, which its record says', { enabled: false, expires_at: '2026-01-01T12:00:00.000Z' }, []],
  [
    'names its address, and expired',
    { external_address: '198.51.100.7', expires_at: NOW },
    ['198.51.100.7:80 → 10.0.0.1:8080'],
  ],
] as const)('a forward that %s', (_, input, rules) => {
  expect(outdated([forward(input)], [])).toEqual(rules);
});

test('without a baseline, every forward that has expired may have been there', () => {
  const expired = forward({ expires_at: '2025-12-31T12:00:00.000Z' });
  expect(outdated([expired, forward({ external_port: 81 }, 2)], [], { revision: 0, at: '', gateways: [] })).toEqual([
    '192.0.2.1:80 → 10.0.0.1:8080',
  ]);
});

test('where the gateway changed, only what was on it', () => {
  const named = forward({ external_port: 81, external_address: '192.0.2.1' }, 2);
  const six = forward({ external_port: 82, internal_address: 'fd00::1' }, 3);
  expect(outdated([forward({}), named, six], [], BASELINE, true)).toEqual(['192.0.2.1:80 → 10.0.0.1:8080']);
});

test('what was retired, unless the forward leads there again', () => {
  const before = [forward({}), forward({ internal_port: 9090 }), forward({ external_port: 81 }, 2)];
  expect(outdated([forward({})], before)).toEqual(['192.0.2.1:80 → 10.0.0.1:9090', '192.0.2.1:81 → 10.0.0.1:8080']);
  expect(outdated([forward({})], [forward({ expires_at: OLD }, 2)])).toEqual([]);
});
