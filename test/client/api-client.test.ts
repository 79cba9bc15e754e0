import { describe, expect, test } from 'vitest';
import { createApiClient } from '../../src/client/api-client.ts';
import type { ApiAnswer, ApiRequest } from '../../src/client/transport.ts';

const REMOVAL = { id: 'an id', revision: 3, applied: true };

/** A client of an API that answers so, and what it was asked. */
function clientOf(answer: Partial<ApiAnswer>) {
  const asked: ApiRequest[] = [];
  const client = createApiClient({
    place: 'somewhere',
    exchange: async (request) => {
      asked.push(request);
      return { status: 200, body: '', ...answer };
    },
  });
  return { client, asked };
}

describe('what is asked', () => {
  test('parameters go where they belong, texts cannot leave their place, and what is undefined stays away', async () => {
    const { client, asked } = clientOf({ body: JSON.stringify(REMOVAL) });
    const parameters = { reference: '../a b?c#d', wait: 0, drain: 'true', 'if-match': '"3"' } as const;
    expect(await client.call('removeForward', parameters)).toEqual(REMOVAL);
    await client.call('removeForward', { reference: 'x', wait: undefined, drain: undefined });
    const request = { method: 'DELETE', headers: {}, body: undefined };
    expect(asked).toEqual([
      { ...request, path: '/v1/forwards/..%2Fa%20b%3Fc%23d?wait=0&drain=true', headers: { 'if-match': '"3"' } },
      { ...request, path: '/v1/forwards/x' },
    ]);
  });

  test('bodies go as JSON, without what is undefined', async () => {
    const { client, asked } = clientOf({ body: '{}' });
    const body = { external_port: 80, internal_address: '192.0.2.1', name: undefined };
    await expect(client.call('createForward', {}, body)).rejects.toMatchObject({ code: 'daemon_unreachable' });
    expect(asked).toMatchObject([{ method: 'POST', body: '{"external_port":80,"internal_address":"192.0.2.1"}' }]);
  });

  test('a body that nobody has read goes as it is', async () => {
    const { client, asked } = clientOf({ status: 400, body: '{"code":"request_malformed","detail":"no"}' });
    await expect(client.callUnread('applyForwards', { wait: '1' }, ['nonsense'])).rejects.toThrow('no');
    expect(asked).toMatchObject([{ path: '/v1/apply?wait=1', body: '["nonsense"]' }]);
  });
});

describe('what is answered', () => {
  test.each(Object.keys(REMOVAL))('an answer without its %s is none', async (key) => {
    const { client } = clientOf({ body: JSON.stringify({ ...REMOVAL, [key]: undefined }) });
    await expect(client.call('removeForward', { reference: 'x' })).rejects.toMatchObject({
      code: 'daemon_unreachable',
      message: 'no daemon answers at somewhere: what answers there is no hatoba of this version',
    });
  });

  test('what a later version adds is no matter', async () => {
    const { client } = clientOf({ body: JSON.stringify({ ...REMOVAL, more: 1 }) });
    expect(await client.call('removeForward', { reference: 'x' })).toMatchObject(REMOVAL);
  });

  test('a problem is the error that it tells', async () => {
    const problem = { code: 'forward_not_found', detail: 'gone', hint: 'look', field: 'id' };
    const { client } = clientOf({ status: 404, body: JSON.stringify(problem) });
    await expect(client.call('getForward', { reference: 'x' })).rejects.toMatchObject({
      code: 'forward_not_found',
      message: 'gone',
      hint: 'look',
      field: 'id',
    });
  });
});
