import { expect, test } from 'vitest';
import { SETS } from '../../../../src/dataplane/linux/nftables/layout.ts';

test.each([4, 6] as const)('by IPv%i, what is compared part by part begins with what tells most apart', (family) => {
  const { guarded, span, shift, wideFlows } = SETS[family];
  for (const { interval, key } of [guarded, span, shift, wideFlows]) {
    expect(interval).toBe(true);
    expect(key[0]).toBe('inet_service');
  }
});
