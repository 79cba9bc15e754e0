import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ForwardPage } from '../../../src/client/operations.ts';
import { parseForwardSpec } from '../../../src/model/forward.ts';
import { type Bench, OTHER_ROUTER, openBench, publish, ROUTER, report } from '../api-under-test.ts';

async function fill({ registry }: Bench, count: number): Promise<void> {
  for (let port = 1; port <= count; port++) {
    await registry.forwards.create(
      parseForwardSpec({
        name: `f${port}`,
        router: port % 2 === 0 ? ROUTER : OTHER_ROUTER,
        project_id: port % 3 === 0 ? 'three' : null,
        external_port: port,
        internal_address: '192.168.50.11',
      }),
    );
    // Of the same millisecond, either may count as the older one.
    await setTimeout(2);
  }
}

async function page({ api }: Bench, query: string): Promise<ForwardPage> {
  const answer = await api.inject(`/v1/forwards${query}`);
  expect(answer.statusCode).toBe(200);
  return answer.json<ForwardPage>();
}

const ports = ({ forwards }: ForwardPage) => forwards.map((forward) => Number(forward.external_port));

describe('GET /v1/forwards', () => {
  test('lists all, oldest first', async () => {
    await using bench = await openBench();
    expect(await page(bench, '')).toEqual({ forwards: [], next: null, revision: 0 });
    await fill(bench, 12);
    expect(ports(await page(bench, ''))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test('filters by router, project and state', async () => {
    await using bench = await openBench();
    await fill(bench, 12);
    await publish(bench.registry, report(bench.registry.forwards.revision()));
    expect(ports(await page(bench, `?router=${ROUTER}`))).toEqual([2, 4, 6, 8, 10, 12]);
    expect(ports(await page(bench, `?router=qrouter-${ROUTER}`))).toEqual([2, 4, 6, 8, 10, 12]);
    expect(ports(await page(bench, '?project_id=three'))).toEqual([3, 6, 9, 12]);
    expect(ports(await page(bench, '?state=active'))).toEqual([2, 4, 6, 8, 10, 12]);
    expect(ports(await page(bench, '?state=waiting&project_id=three'))).toEqual([3, 9]);
    expect(ports(await page(bench, '?router=nobody'))).toEqual([]);
  });

  test('filters by name, protocol, address inside and label, all of them together', async () => {
    await using bench = await openBench();
    await fill(bench, 4);
    const other = { router: ROUTER, external_port: 53, internal_address: 'fd00::53', protocol: 'udp' };
    await bench.registry.forwards.create(parseForwardSpec({ ...other, labels: { tier: 'a=b', constructor: '1' } }));
    expect(ports(await page(bench, '?name=f3'))).toEqual([3]);
    expect(ports(await page(bench, '?name=f'))).toEqual([]);
    expect(ports(await page(bench, '?protocol=udp'))).toEqual([53]);
    expect(ports(await page(bench, '?internal_address=fd00:0::0053'))).toEqual([53]);
    expect(ports(await page(bench, '?internal_address=192.168.50.11&name=f2'))).toEqual([2]);
    expect(ports(await page(bench, '?label=tier=a%3Db'))).toEqual([53]);
    expect(ports(await page(bench, '?label=tier=a'))).toEqual([]);
    expect(ports(await page(bench, '?label=toString='))).toEqual([]);
    expect(ports(await page(bench, '?label=tier=a=b&protocol=tcp'))).toEqual([]);
  });

  test('in another order, page by page', async () => {
    await using bench = await openBench();
    await fill(bench, 12);
    const first = await page(bench, '?sort=-external_port&limit=5');
    expect(ports(first)).toEqual([12, 11, 10, 9, 8]);
    const marker = encodeURIComponent(first.next ?? '');
    expect(ports(await page(bench, `?sort=-external_port&limit=5&marker=${marker}`))).toEqual([7, 6, 5, 4, 3]);
    expect((await bench.api.inject(`/v1/forwards?sort=name&marker=${marker}`)).statusCode).toBe(400);
  });

  test.for([
    '?protocol=icmp',
    '?internal_address=010.0.0.1',
    '?label=x',
    '?label==x',
    '?sort=state',
    '?limit=0',
    '?limit=10001',
    '?limit=1.5',
    '?limit=x',
    '?state=ended',
    '?marker=x',
    '?router=..',
    '?x=1',
  ])('refuses %s', async (query) => {
    await using bench = await openBench();
    const answer = await bench.api.inject(`/v1/forwards${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().field).toBe(/\?(\w+)/.exec(query)?.[1]);
  });

  test('pages join up to the whole, and the last one says so', async () => {
    await using bench = await openBench();
    await fill(bench, 12);
    for (const limit of [1, 5, 6, 12, 13]) {
      const seen: number[] = [];
      for (let next: string | null = ''; next !== null; ) {
        const marker: string = next === '' ? '' : `&marker=${encodeURIComponent(next)}`;
        const part = await page(bench, `?limit=${limit}${marker}`);
        seen.push(...ports(part));
        next = part.next;
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }
    expect((await page(bench, '?limit=12')).next).toBeNull();
  });

  test('pages skip and repeat nothing while the marked forward and others go, change and come', async () => {
    await using bench = await openBench();
    const { forwards } = bench.registry;
    await fill(bench, 9);
    const first = await page(bench, '?limit=3');
    for (const name of ['f1', 'f3', 'f4']) await forwards.remove(forwards.find(name).id);
    await forwards.update(forwards.find('f2').id, (spec) => ({ ...spec, enabled: false }));
    await forwards.update(forwards.find('f6').id, (spec) => ({ ...spec, enabled: false }));
    await forwards.create(parseForwardSpec({ router: ROUTER, external_port: 10, internal_address: '192.168.50.11' }));
    const second = await page(bench, `?limit=3&marker=${first.next}`);
    expect(ports(second)).toEqual([5, 6, 7]);
    expect(ports(await page(bench, `?limit=3&marker=${second.next}`))).toEqual([8, 9, 10]);
  });
});
