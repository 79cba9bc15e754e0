import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Loaded into the daemon beside its own program: at SIGUSR2 it writes what lives in the heap, in bytes, to this file. */
const file = process.env['HATOBA_BENCH_HEAP'];

if (isMainThread && file !== undefined) {
  process.on('SIGUSR2', () => {
    globalThis.gc?.();
    writeFileSync(file, `${process.memoryUsage().heapUsed}\n`);
  });
}
