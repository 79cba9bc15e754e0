import { defineConfig } from 'vitest/config';

/** How long one test, or one hook of a test that builds namespaces, may take. */
const PATIENCE = 300_000;

/** How fast the machine is must not matter: where others compute, too, a second (the default) is soon over. */
const EXPECT = { poll: { timeout: 60_000 } } as const;

/** They wait more than they compute, and keep to namespaces whose names begin with the number of their process. */
const THREE_AT_A_TIME = { maxWorkers: 3, testTimeout: PATIENCE, hookTimeout: PATIENCE, expect: EXPECT } as const;

/** They use the practice network and the daemon of `make up`, of which there is one on a machine. */
const PRACTICE = ['test/e2e/lab.test.ts', 'test/e2e/make.test.ts'];

/** Groups run one after the other; what is in one of them, side by side. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/kernel/**', 'test/e2e/**', 'test/openstack-rig/**'],
          // No module keeps any state (test/architecture.test.ts), so files can share what they have loaded.
          isolate: false,
          maxWorkers: 2,
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
          expect: EXPECT,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
          expect: EXPECT,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          ...THREE_AT_A_TIME,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: PRACTICE,
          sequence: { groupOrder: 2 },
          ...THREE_AT_A_TIME,
        },
      },
      {
        test: {
          name: 'practice',
          include: PRACTICE,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
          expect: EXPECT,
        },
      },
      {
        // Needs the Debian packages of OpenStack's services: `make test-openstack`, not `make test`.
        test: {
          name: 'openstack',
          include: ['test/openstack-rig/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 4 },
          testTimeout: PATIENCE,
          // Services in Python start slowly where others use the machine, too.
          hookTimeout: 2 * PATIENCE,
          expect: EXPECT,
        },
      },
    ],
  },
});
