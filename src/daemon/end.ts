/** How the daemon comes to its end. */
export interface End {
  /** Resolves when the process is asked to stop; rejects with whatever made going on impossible. */
  readonly reached: Promise<void>;
  fatal(error: unknown): void;
  /** Signals have their usual effect again. */
  release(): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export function listenForEnd(): End {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onSignal = () => resolve();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    reached: promise,
    fatal: reject,
    release() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
