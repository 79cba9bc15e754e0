import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openBench } from './api-under-test.ts';

test('the description comes as it is, each time', async () => {
  await using bench = await openBench();
  for (let time = 0; time < 2; time++) {
    const { statusCode, headers, json } = await bench.api.inject('/openapi.json');
    expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(json()).toEqual(JSON.parse(await readFile('openapi.json', 'utf8')));
  }
});

test('all who ask at once whether it is ready share one look', async () => {
  let looks = 0;
  let look = Promise.withResolvers<void>();
  const ready = () => {
    looks += 1;
    return look.promise;
  };
  await using bench = await openBench({ ready });
  const ask = () => bench.api.inject('/readyz').then(({ statusCode }) => statusCode);
  const first = Promise.all([ask(), ask(), ask()]);
  await expect.poll(() => looks).toBe(1);
  look.resolve();
  expect([await first, looks]).toEqual([[200, 200, 200], 1]);
  look = Promise.withResolvers();
  look.reject(new Error('the kernel is gone'));
  expect([await ask(), looks]).toEqual([503, 2]);
});
