import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/cli/client.ts';
import { HatobaError } from '../../src/model/errors.ts';

/** Somebody who creates and removes forwards, one after the other, and keeps book. */
export interface Churn {
  /** Names of forwards whose creation was acknowledged, and whose removal was not asked for. */
  readonly present: ReadonlySet<string>;
  /** Names of forwards whose removal was acknowledged. */
  readonly absent: ReadonlySet<string>;
  /** Names of forwards where the answer to the last request was lost. */
  readonly unknown: ReadonlySet<string>;
  /** Resolves when the next change is acknowledged. */
  acknowledged(): Promise<void>;
  /** Resolves when the last request is answered; rejects if the daemon refused one. */
  stop(): Promise<void>;
}

export interface ChurnOptions {
  /** What the names of its forwards begin with. */
  readonly name: string;
  readonly router: string;
  /** External ports from here on. */
  readonly firstPort: number;
  /** How long each request waits for the kernel, in seconds. */
  readonly wait: string;
}

/** So many forwards at a time. */
const MOST = 20;
const PAUSE = 5;

export function startChurn(client: Client, options: ChurnOptions): Churn {
  const [present, absent, unknown] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const acknowledgements = new EventEmitter();
  let created = 0;
  let stopped = false;
  const running = run();
  // The failure is told by `stop`.
  running.catch(() => undefined);
  return {
    present,
    absent,
    unknown,
    async acknowledged() {
      await Promise.race([once(acknowledgements, 'change'), running]);
    },
    stop() {
      stopped = true;
      return running;
    },
  };

  async function run(): Promise<void> {
    while (!stopped) {
      const [victim] = Math.random() < present.size / MOST ? present : [];
      await (victim === undefined ? create() : remove(victim));
      await sleep(PAUSE);
    }
  }

  async function create(): Promise<void> {
    const name = `${options.name}-${++created}`;
    const ports = { external_port: options.firstPort + created, internal_port: 22 };
    const fields = { name, router: options.router, internal_address: '10.20.0.11', ...ports };
    await note(name, present, () => client.createForward(fields, options.wait));
  }

  async function remove(name: string): Promise<void> {
    present.delete(name);
    await note(name, absent, () => client.removeForward(name, options.wait));
  }

  async function note(name: string, outcome: Set<string>, request: () => Promise<unknown>): Promise<void> {
    const answered = await ask(request);
    (answered ? outcome : unknown).add(name);
    if (answered) acknowledgements.emit('change');
    // What is asked of a daemon that is known to be away tells nothing.
    while (!stopped && !(await ask(() => client.getStatus()))) await sleep(PAUSE);
  }
}

/** Whether there was an answer. */
async function ask(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'daemon_unreachable') return false;
    throw error;
  }
}
