import { expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../src/model/error-catalogue.ts';
import { HatobaError } from '../../../src/model/errors.ts';
import { openBench } from '../api-under-test.ts';
import { fault, openGatewayBench } from './gateway-under-test.ts';

test.each<[ErrorCode, number, string, string]>([
  ['not_authenticated', 401, 'HTTPUnauthorized', 'what went wrong.'],
  ['host_not_local', 403, 'HTTPForbidden', 'what went wrong.'],
  ['role_missing', 403, 'PolicyNotAuthorized', 'rule:create_floatingip_port_forwarding is disallowed by policy'],
  ['name_taken', 409, 'HTTPConflict', 'what went wrong.'],
  ['quota_exceeded', 409, 'OverQuota', "Quota exceeded for resources: ['port_forwarding']."],
  ['authentication_unavailable', 503, 'HTTPServiceUnavailable', 'what went wrong.'],
  ['store_full', 503, 'HTTPServiceUnavailable', 'what went wrong.'],
  // What broke inside is nobody's business.
  [
    'store_failed',
    500,
    'HTTPInternalServerError',
    'Request Failed: internal server error while processing your request.',
  ],
])('%s is answered as Neutron would', async (code, status, type, message) => {
  await using bench = await openBench({
    authenticate: async () => {
      throw new HatobaError(code, 'what went wrong', ERRORS[code].hint, {});
    },
  });
  const answer = await bench.api.inject({ method: 'POST', url: '/v2.0/floatingips/x/port_forwardings' });
  expect([answer.statusCode, answer.json()]).toEqual([status, fault(type, message)]);
});

test('a body that is too large is refused, one with many is not', async () => {
  await using bench = await openGatewayBench();
  const description = 'x'.repeat(100_000);
  const body = { port_forwarding: { description } };
  expect((await bench.ask('POST', bench.path(), { body })).body).toMatchObject({
    NeutronError: { type: 'HTTPBadRequest' },
  });
  expect(await bench.ask('PUT', bench.path('x'), { body })).toMatchObject({
    status: 413,
    body: { NeutronError: { type: 'HTTPRequestEntityTooLarge' } },
  });
});

test.each<[string, number, string]>([
  ['[', 50_000, ']'],
  ['{"a":', 10_000, '}'],
])('a value that is nested as %j %i times is refused', async (open, times, close) => {
  await using bench = await openGatewayBench();
  const protocol = `${open.repeat(times)}1${close.repeat(times)}`;
  const target = '"internal_ip_address":"10.0.0.1","internal_port_id":"x"';
  const body = `{"port_forwarding":{${target},"protocol":${protocol}}}`;
  const { status, body: told } = await bench.ask('POST', bench.path(), {
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect([status, told]).toMatchObject([400, { NeutronError: { type: 'InvalidInput' } }]);
});

test.each(['%zz', `floatingips/${'x'.repeat(300)}`, 'floatingips/%00', '/', '..%2f', 'ports?name=%ff&name=%zz'])(
  'the path %s is answered in Neutron’s form',
  async (path) => {
    await using bench = await openBench();
    const answer = await bench.api.inject(`/v2.0/${path}`);
    expect(answer.statusCode).toBeLessThan(500);
    expect(answer.headers['x-openstack-request-id']).toMatch(/^req-/);
    if (answer.statusCode !== 200) expect(answer.json()).toMatchObject({ NeutronError: { detail: '' } });
  },
);

test('what is beside Neutron’s API is answered as ever', async () => {
  await using bench = await openBench();
  for (const path of ['/v2.01', '/v2', '/v1/%zz', '/v2.0x/%zz']) {
    expect((await bench.api.inject(path)).json()).toHaveProperty('code');
  }
});
