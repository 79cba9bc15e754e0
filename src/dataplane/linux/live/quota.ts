import { hatobaError } from '../../../model/errors.ts';

/** So many at a time in each namespace. */
export interface Quota {
  /** What the work gives. Error: `watches_exhausted`. */
  run<Result>(namespace: string, work: () => Promise<Result>): Promise<Result>;
}

export function createQuota(most: number): Quota {
  const running = new Map<string, number>();
  const count = (namespace: string) => running.get(namespace) ?? 0;
  return {
    async run(namespace, work) {
      if (count(namespace) >= most) throw hatobaError('watches_exhausted', { namespace, count: most });
      running.set(namespace, count(namespace) + 1);
      try {
        return await work();
      } finally {
        running.set(namespace, count(namespace) - 1);
        if (count(namespace) === 0) running.delete(namespace);
      }
    },
  };
}
