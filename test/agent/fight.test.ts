import { describe, expect, test } from 'vitest';
import { createFight } from '../../src/agent/fight.ts';

/** The waits that follow disturbances, each so many milliseconds after the wait for the one before it. */
function waits(count: number, apart: number): readonly number[] {
  const fight = createFight();
  let now = 1_000_000;
  return Array.from({ length: count }, () => {
    const wait = fight.disturbed(now);
    now += wait + apart;
    return wait;
  });
}

describe('a fight', () => {
  test('twenty disturbances in a row are answered at once, further ones later and later', () => {
    expect(waits(28, 1)).toEqual([...Array<number>(20).fill(0), 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  test('of disturbances more than a second apart is none', () => {
    expect(waits(100, 1_001)).toEqual(Array<number>(100).fill(0));
    expect(waits(100, 1_000).at(-1)).toBe(15_000);
  });

  test('is over when nothing happens for a second longer than the last wait', () => {
    const fight = createFight();
    for (let round = 0; round < 22; round++) fight.disturbed(0);
    expect(fight.count()).toBe(22);
    expect(fight.calmAfter()).toBe(1_500);
    expect(fight.disturbed(1_501)).toBe(0);
    expect(fight.count()).toBe(1);
    expect(fight.calmAfter()).toBe(1_000);
  });
});
