import { expect, test } from 'vitest';
import { createWorkSlices } from '../../../src/api/answers/work-slices.ts';

function busy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('owners take turns, and the slices of one keep their order', async () => {
  const slices = createWorkSlices();
  const done: string[] = [];
  const run = (owner: string, at: number) => slices.run(owner, () => done.push(`${owner}${at}`));
  await Promise.all([run('a', 0), run('a', 1), run('a', 2), run('b', 0), run('c', 0), run('b', 1)]);
  expect(done).toEqual(['a0', 'b0', 'c0', 'a1', 'b1', 'a2']);
});

test('between long slices, the event loop gets to everything else', async () => {
  const slices = createWorkSlices();
  const done: string[] = [];
  const work = Array.from({ length: 5 }, (_, at) =>
    slices.run('a', () => {
      busy(10);
      done.push(`slice ${at}`);
    }),
  );
  const other = (at: number) => {
    done.push(`other ${at}`);
    if (at < 4) setImmediate(other, at + 1);
  };
  setImmediate(other, 0);
  await Promise.all(work);
  for (let at = 1; at < 5; at++) {
    const before = done.indexOf(`other ${at - 1}`);
    expect(before).toBeGreaterThanOrEqual(0);
    expect(before).toBeLessThan(done.indexOf(`slice ${at}`));
  }
});

test('an error is that of its slice, and the next one is done', async () => {
  const slices = createWorkSlices();
  const failed = slices.run('a', () => {
    throw new Error('no');
  });
  const next = slices.run('a', () => 'yes');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
