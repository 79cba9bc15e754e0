import type { Kernel } from '../../kernel/kernel.ts';
import type { ForeignRule, Removal } from '../../model/adoption.ts';
import type { Neighbours } from '../neighbours.ts';
import { readForeignRules } from './foreign-rules.ts';
import { FORWARD_PRIORITY } from './nftables/layout.ts';

const REMOVED: Removal = { outcome: 'removed', reason: null };
const GONE: Removal = { outcome: 'gone', reason: null };

/** `kernel`: with the namespaces attached to it that a data plane looks after. */
export function createLinuxNeighbours(kernel: Kernel): Neighbours {
  return { priority: FORWARD_PRIORITY, read: (id) => readForeignRules(kernel, id), changesInSilence, remove };

  async function changesInSilence(id: string): Promise<boolean> {
    const { legacy } = await kernel.othersTables(id);
    return legacy[4].length + legacy[6].length > 0;
  }

  async function remove(id: string, rules: readonly ForeignRule[]): Promise<readonly Removal[]> {
    const removals = new Map<ForeignRule, Removal>();
    for (const [program, those] of Map.groupBy(rules, (rule) => rule.program)) {
      const failure = await take(id, program, those);
      // A batch that fails has changed nothing.
      for (const rule of those) removals.set(rule, failure === null ? REMOVED : await removeOne(id, rule));
    }
    return rules.map((rule) => removals.get(rule) ?? GONE);
  }

  async function removeOne(id: string, rule: ForeignRule): Promise<Removal> {
    const reason = await take(id, rule.program, [rule]);
    if (reason === null) return REMOVED;
    const { stdout, exitCode } = await kernel.run(id, [`${rule.program}-save`]);
    const isThere = exitCode !== 0 || stdout.split('\n').includes(rule.text);
    return isThere ? { outcome: 'failed', reason } : GONE;
  }

  /** All of them in one transaction, or why not. */
  async function take(id: string, program: string, rules: readonly ForeignRule[]): Promise<string | null> {
    const lines = ['*nat', ...rules.map(({ text }) => text.replace(/^-A /, '-D ')), 'COMMIT', ''];
    const { exitCode, stderr } = await kernel.run(id, [`${program}-restore`, '--noflush', '--wait'], lines.join('\n'));
    return exitCode === 0 ? null : stderr.trim() || `${program}-restore ended with ${exitCode}`;
  }
}
