/** How long this thread computes for synchronous work, in ms, whatever else the machine does. */
export function processorTime(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The same for work that waits, of all threads of this process. */
export async function processorTimeOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * How many times as long this thread computes for ten times as much: some ten where the work is linear, a hundred where it
 * is quadratic. The least of several runs counts, since in some of them code is compiled or memory is freed.
 */
export function growthByTen(few: number, work: (count: number) => void): number {
  const least = (count: number) => Math.min(...Array.from({ length: 4 }, () => processorTime(() => work(count))));
  return least(10 * few) / least(few);
}
