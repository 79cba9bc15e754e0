import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEUTRON_PATTERNS, patternOf } from '../../../src/dataplane/linux/namespaces.ts';
import { routerOfNamespace } from '../../../src/model/router.ts';

const UUID = '5f1b3c08-7d42-4e6a-9b0e-3a1c5d7e9f20';

function fits(name: string, pattern: string): boolean {
  return patternOf(name, [{ namespace: pattern, outside: ['o'], inside: [] }]) !== undefined;
}

test.each([
  ['edge', 'edge', true],
  ['edge', 'edg', false],
  ['edge', 'edge*', true],
  ['edge', '*edge', true],
  ['edge', '*', true],
  ['edge', '**', true],
  ['edge', 'e*e', true],
  ['e', 'e*e', false],
  ['aba', 'ab*ba', false],
  ['abcabc', '*abc*abc', true],
  ['abc', '*abc*abc', false],
  ['a.b', 'a.b', true],
  ['axb', 'a.b', false],
  ['edge', '', false],
])('%s and the pattern %s: %s', (name, pattern, expected) => {
  expect(fits(name, pattern)).toBe(expected);
});

test('a pattern fits what the regular expression it stands for fits', () => {
  const some = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '+', '-'), maxLength: 8 });
  const oracle = (name: string, pattern: string) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.+-]/g, '\\$&'));
    return new RegExp(`^(?:${parts.join('.*')})$`).test(name);
  };
  fc.assert(
    fc.property(some, some, (name, pattern) => {
      expect(fits(name, pattern)).toBe(oracle(name, pattern));
    }),
    { numRuns: 2_000 },
  );
});

test('the first pattern that fits counts', () => {
  const patterns = ['a*', '*b'].map((namespace, index) => ({ namespace, outside: [`o${index}`], inside: [] }));
  expect(patternOf('ab', patterns)?.outside).toEqual(['o0']);
  expect(patternOf('bb', patterns)?.outside).toEqual(['o1']);
  expect(patternOf('bc', patterns)).toBeUndefined();
});

describe("Neutron's namespaces", () => {
  test.each([
    [`qrouter-${UUID}`, 'qr-'],
    [`snat-${UUID}`, 'sg-'],
  ])('%s is the router', (namespace, inside) => {
    expect(patternOf(namespace, NEUTRON_PATTERNS)).toMatchObject({ outside: ['qg-'], inside: [inside] });
    expect(routerOfNamespace(namespace)).toBe(UUID);
  });

  test.each([`qdhcp-${UUID}`, `fip-${UUID}`, 'router', `xqrouter-${UUID}`])('%s is none', (namespace) => {
    expect(patternOf(namespace, NEUTRON_PATTERNS)).toBeUndefined();
  });

  test('others are routers by their own name', () => {
    expect(['host', 'edge', 'qrouter-short'].map(routerOfNamespace)).toEqual(['host', 'edge', 'qrouter-short']);
  });
});
