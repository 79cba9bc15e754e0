/** How often each property is tried: `FUZZ_RUNS`; from which on: `FUZZ_SEED`. Without them, always the same few. */
export const FUZZ_RUNS = Number(process.env['FUZZ_RUNS'] ?? 40);

export const fuzzParameters = {
  numRuns: FUZZ_RUNS,
  seed: Number(process.env['FUZZ_SEED'] ?? 9797),
} as const;

/** In ms; on a busy machine each run can take a second. */
export const FUZZ_PATIENCE = 120_000 + FUZZ_RUNS * 200;
