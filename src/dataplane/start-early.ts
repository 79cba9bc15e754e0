import type { Dataplane, DataplaneEvent } from './dataplane.ts';

/**
 * The same data plane, looking for what is there from now on; whoever starts it is told what was found meanwhile.
 * Resolves when it needs nobody any more to go on looking.
 */
export async function startEarly(dataplane: Dataplane): Promise<Dataplane> {
  const early: DataplaneEvent[] = [];
  let tell = (event: DataplaneEvent): void => {
    early.push(event);
  };
  const started = dataplane.start((event) => tell(event));
  // Whoever starts it hears of it.
  started.catch(() => {});
  await dataplane.alive();
  return {
    ...dataplane,
    async start(onEvent) {
      for (const event of early) onEvent(event);
      tell = onEvent;
      await started;
    },
  };
}
