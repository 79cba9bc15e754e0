import { describe, expect, test } from 'vitest';
import { type Bench, openBench, wish } from '../api-under-test.ts';

function send(bench: Bench, method: 'POST' | 'PATCH', path: string, payload: object) {
  return bench.api.inject({ method, url: `/v1/forwards${path}?wait=0`, payload });
}

describe('external_port auto', () => {
  test('is answered with the lowest free port', async () => {
    await using bench = await openBench();
    const ports: string[] = [];
    for (const _ of '123') {
      const answer = await send(bench, 'POST', '', wish({ external_port: 'auto' }));
      expect(answer.statusCode).toBe(201);
      ports.push(answer.json().external_port);
    }
    expect(ports).toEqual(['20000', '20001', '20002']);
    const named = await send(bench, 'POST', '', wish({ external_port: '20001' }));
    expect(named.json()).toMatchObject({ status: 409, code: 'forward_conflict' });
  });

  test('as a change is another one, on the same terms', async () => {
    await using bench = await openBench();
    await send(bench, 'POST', '', wish({ name: 'web', external_port: 'auto' }));
    const answer = await send(bench, 'PATCH', '/web', { external_port: 'auto', description: 'moved' });
    expect(answer.json()).toMatchObject({ external_port: '20001', internal_port: '22', description: 'moved' });
    const elsewhere = await send(bench, 'PATCH', '/web', { external_port: 'auto', protocol: 'udp' });
    expect(elsewhere.json()).toMatchObject({ external_port: '20000', protocol: 'udp' });
  });

  test('needs the port inside', async () => {
    await using bench = await openBench();
    const answer = await send(bench, 'POST', '', wish({ external_port: 'auto', internal_port: undefined }));
    expect(answer.json()).toMatchObject({ status: 400, code: 'internal_port_required', field: 'internal_port' });
    expect(bench.registry.forwards.list()).toEqual([]);
  });

  test('that cannot be had is a conflict, and says of what', async () => {
    await using bench = await openBench({ autoPorts: { first: 5001, last: 5001 } });
    await send(bench, 'POST', '', wish());
    const answer = await send(bench, 'POST', '', wish({ external_port: 'auto' }));
    expect(answer.json()).toMatchObject({ status: 409, code: 'auto_ports_exhausted', field: 'external_port' });
    expect(answer.json().detail).toContain('the pool of ports 5001 has no port left for tcp on router ');
    expect(bench.registry.forwards.list()).toHaveLength(1);
  });
});
