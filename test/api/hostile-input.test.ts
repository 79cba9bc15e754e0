import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openBench, wish } from './api-under-test.ts';

const KEYS = Object.keys(wish()).concat(['name', 'labels', 'sources', 'enabled', 'protocol', 'external_address']);

/** Any JSON at all, or a good forward with some fields made anything. */
const body = fc.oneof(
  fc.jsonValue(),
  fc
    .dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
    .map((differences) => wish(differences)),
);

const reference = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.constantFrom('a', '..', 'host', '%', '0'));

const request = fc.oneof(
  fc.record({ method: fc.constant('POST' as const), url: fc.constant('/v1/forwards?wait=0'), body }),
  fc.record({
    method: fc.constantFrom('PATCH' as const, 'DELETE' as const, 'GET' as const),
    url: reference.map((text) => `/v1/forwards/${encodeURIComponent(text)}`),
    body,
  }),
  fc.record({
    method: fc.constant('GET' as const),
    url: fc.webQueryParameters().map((query) => `/v1/forwards?${query}`),
    body: fc.constant(undefined),
  }),
);

test('whatever is sent is done or refused with a code, never a failure, and what is refused changes nothing', async () => {
  await using bench = await openBench();
  const { api, registry } = bench;
  await api.inject({ method: 'POST', url: '/v1/forwards?wait=0', payload: wish({ name: 'a', external_port: 9 }) });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, url, body: payload }) => {
      const before = registry.forwards.list();
      const answer = await api.inject({
        method,
        url,
        ...(payload === undefined || method === 'GET' ? {} : { body: JSON.stringify(payload) }),
        headers: payload === undefined ? {} : { 'content-type': 'application/json' },
      });
      expect(answer.statusCode).toBeLessThan(500);
      if (answer.statusCode >= 400) {
        expect(answer.json().code).toMatch(/^[a-z0-9_]+$/);
        expect(registry.forwards.list()).toEqual(before);
      }
    }),
    { numRuns: 500 },
  );
});
