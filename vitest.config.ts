import { defineConfig } from 'vitest/config';

/** How long one test, or one hook of a test that builds namespaces, may take. */
const PATIENCE = 60_000;

const ONE_AT_A_TIME = { fileParallelism: false, testTimeout: PATIENCE, hookTimeout: PATIENCE } as const;

/**
 * Pure tests run side by side. Tests of the kernel and of the whole system share one machine's network
 * namespaces, so each runs alone; the groups run one after the other.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/kernel/**', 'test/e2e/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { name: 'contract', include: ['test/contract/**/*.test.ts'], sequence: { groupOrder: 1 } },
      },
      {
        test: { name: 'kernel', include: ['test/kernel/**/*.test.ts'], sequence: { groupOrder: 2 }, ...ONE_AT_A_TIME },
      },
      {
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], sequence: { groupOrder: 3 }, ...ONE_AT_A_TIME },
      },
    ],
  },
});
