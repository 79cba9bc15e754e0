import { pino } from 'pino';
import { expect, test } from 'vitest';
import { forwarding, gatewayIdOf, openUpstreamBench, send } from './upstream-under-test.ts';

/** A method, and a path of words, parameters by name and `*`. */
const NAME = /^[A-Z]+ \/[\w./:*-]*$/;

test('the audit log names the operation on a gateway’s forward, not the expression that its route has', async () => {
  const operations: string[] = [];
  const log = pino({ level: 'info' }, { write: (text) => operations.push(JSON.parse(text).audit?.operation) });
  await using bench = await openUpstreamBench({ log });
  const path = `/v2.0/floatingips/${await gatewayIdOf(bench)}/port_forwardings`;
  operations.length = 0;
  const { body } = await send(bench, 'POST', path, forwarding);
  const { id } = body.port_forwarding;
  await send(bench, 'PUT', `${path}/${id}`, { port_forwarding: { external_port: 2223 } });
  await send(bench, 'DELETE', `${path}/${id}`);
  const named = '/v2.0/floatingips/:floatingip/port_forwardings';
  expect(operations).toEqual([`POST ${named}`, `PUT ${named}/:id`, `DELETE ${named}/:id`]);
});

test('no route has another name in the audit log and the metrics', async () => {
  await using bench = await openUpstreamBench();
  const id = await gatewayIdOf(bench);
  for (const url of [`/v2.0/floatingips/${id}`, `/v2.0/floatingips/${id}/port_forwardings/x`, '/v2.0/networks']) {
    await bench.api.inject(url);
  }
  const { body } = await bench.api.inject('/metrics');
  const routes = [...body.matchAll(/^hatoba_api_request_seconds_count\{.*?method="(\w+)".*?route="([^"]*)"/gm)];
  expect(routes.length).toBeGreaterThanOrEqual(3);
  for (const [, method, route] of routes) expect(`${method} ${route}`).toMatch(NAME);
});
