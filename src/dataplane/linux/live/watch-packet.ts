import { randomBytes } from 'node:crypto';
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Observation, WatchedFlow } from '../../../model/observation.ts';
import type { WatchPatience } from '../../dataplane.ts';
import { WATCH_PREFIX } from '../nftables/layout.ts';
import { createCollector } from './collector.ts';
import { parseRuleset, type Ruleset } from './ruleset.ts';
import { printWatchTable } from './watch-table.ts';
import { isOfKnownFlow, wayOf } from './ways.ts';

/** In ms. A packet's way takes far less, unless something queues it; its answer as long as the target takes. */
const [SETTLING, ANSWERING] = [500, 1000];

/**
 * Waits for a packet of this flow in an attached namespace, and tells what the kernel did with it and with its answer;
 * `null`: none came in time. Errors: `kernel_refused`, `kernel_unsupported`, `namespace_gone`.
 */
export async function watchPacket(
  kernel: Kernel,
  namespace: string,
  flow: WatchedFlow,
  { seconds, signal }: WatchPatience,
): Promise<Observation | null> {
  const table = `${WATCH_PREFIX}${randomBytes(4).toString('hex')}`;
  const collector = createCollector(table);
  const changes = new EventTarget();
  const watch = await kernel.watchPackets(namespace, printWatchTable(table, flow), (message) => {
    collector.take(message);
    changes.dispatchEvent(new Event('change'));
  });
  const until = (condition: () => boolean, ms: number) => waitFor(condition, changes, ms, signal);
  try {
    await until(() => collector.request() !== null, seconds * 1000);
    if (collector.request() === null) return null;
    await until(() => collector.request()?.isComplete === true, SETTLING);
    if (collector.request()?.isTaken === false) await until(() => collector.reply() !== null, ANSWERING);
    if (collector.reply() !== null) await until(() => collector.reply()?.isComplete === true, SETTLING);
  } finally {
    await watch.end();
  }
  const [ruleset, legacyTables] = await Promise.all([readRuleset(kernel, namespace), readLegacy(kernel, namespace)]);
  const [request, reply] = [collector.request(), collector.reply()];
  const way = request && wayOf(request, table, ruleset);
  if (request === null || way === null) return null;
  return {
    instance: namespace,
    way,
    knownFlow: isOfKnownFlow(request, way, ruleset),
    reply: reply && wayOf(reply, table, ruleset),
    legacyTables,
  };
}

/** Until it holds, the time is over, or nobody waits any more. */
function waitFor(condition: () => boolean, changes: EventTarget, ms: number, signal: AbortSignal): Promise<void> {
  if (condition() || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(finish, ms);
    changes.addEventListener('change', look);
    signal.addEventListener('abort', finish);

    function look(): void {
      if (condition()) finish();
    }

    function finish(): void {
      clearTimeout(timer);
      changes.removeEventListener('change', look);
      signal.removeEventListener('abort', finish);
      resolve();
    }
  });
}

/** Without nft there are no texts, and the steps are told by their handles alone. */
async function readRuleset(kernel: Kernel, namespace: string): Promise<Ruleset> {
  const { stdout } = await kernel.run(namespace, ['nft', '-a', '-s', '-t', '-y', 'list', 'ruleset']);
  return parseRuleset(stdout);
}

async function readLegacy(kernel: Kernel, namespace: string): Promise<readonly string[]> {
  const { legacy } = await kernel.othersTables(namespace);
  return [...new Set([...legacy[4], ...legacy[6]])].sort();
}
