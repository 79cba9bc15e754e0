import type { IptablesState } from '../../../kernel/kernel.ts';
import type { IptablesVariant, NatTable } from '../../../kernel/nft/iptables-chains.ts';
import type { Family } from '../../../model/address.ts';
import { addCounters, type Counters } from '../../../model/counters.ts';
import { hatobaError } from '../../../model/errors.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Change } from '../../../program/diff.ts';
import type { Program, Rule } from '../../../program/rule.ts';
import type { Farewell } from '../../dataplane.ts';
import {
  type Backend,
  type BackendSurroundings,
  type Found,
  type NamespaceKernel,
  successors,
  tellFlowsLeft,
} from '../backend.ts';
import type { InsideInterface } from '../inside-interfaces.ts';
import { correct, removal, type Script } from './correction.ts';
import { flowRulesOf } from './flows.ts';
import { type Programs, restore, save } from './programs.ts';
import {
  CHAINS,
  joinSources,
  type NatRule,
  natRulesOf,
  printMasquerade,
  printMatch,
  printRule,
  TRANSLATE,
} from './rules.ts';
import { NO_TABLE, readRules, readSaved, type SavedTable } from './saved.ts';

const FAMILIES = [4, 6] as const;

/** Of nf_tables, by one call of the program. */
const TRANSACTIONS = { nft: 1, legacy: 0 } as const;

/** In ms: a client waits for the answer. */
const COUNTERS_WITHIN = 5_000;

type Draining = Farewell['draining'];

/** What this backend uses, where it is the one that is configured. */
interface Own {
  readonly programs: Programs;
  readonly variant: IptablesVariant;
}

/** One step in the table nat of one family. */
interface Step {
  readonly variant: IptablesVariant;
  readonly program: string;
  readonly script: Script;
}

/**
 * Chains of our own in the table nat of iptables and ip6tables, read and written by the machine's own programs: what is
 * there is read before each change, since with iptables-legacy nothing tells of what others do. `kernelRelease`: as `uname -r`
 * prints it.
 */
export function createIptables(
  around: BackendSurroundings,
  findPrograms: (kernel: NamespaceKernel) => Promise<Programs>,
  kernelRelease: string,
): Backend {
  const { kernel } = around;
  /** While we write: whether anything was reported as changed. */
  let listening: { hasHeard: boolean } | null = null;
  /** The families whose table had chains of ours when it was last looked at; see `KEEPER`. */
  const installed = new Set<Family>();
  return { synchronise, apply, counters, storedRules, remove, disturbed };

  async function synchronise(
    { iptables }: Found,
    program: Program,
    inside: readonly InsideInterface[],
    { draining, gone }: Farewell,
  ): Promise<number> {
    if (iptables.tables.length === 0 && program.size === 0 && installed.size === 0) {
      await endFlows(gone, [], draining);
      return 0;
    }
    const own = await ownPrograms();
    const steps: Step[] = [];
    for (const family of FAMILIES) {
      const rules = natRulesOf(program.values(), family);
      const found = await readOwn(iptables, own, family);
      if (found === NO_TABLE && rules.length === 0 && !installed.has(family)) continue;
      steps.push(stepTo(rules, found, own, family, inside));
      installed.add(family);
    }
    for (const step of steps) await write(step, step.script.added, draining);
    await endFlows(gone, successors(program, gone), draining);
    await removeFrom(iptables, ({ variant }) => variant !== own.variant, program.values(), draining);
    return steps.reduce((sum, { script }) => sum + script.count, 0);
  }

  async function apply(change: Change, inside: readonly InsideInterface[], draining: Draining): Promise<void> {
    const own = await ownPrograms();
    const iptables = await kernel.readIptables();
    const steps: Step[] = [];
    for (const family of FAMILIES) {
      const [remove, add] = [natRulesOf(change.remove, family), natRulesOf(change.add, family)];
      if (remove.length + add.length === 0) continue;
      const found = await readOwn(iptables, own, family);
      steps.push(stepTo(changed(found, family, remove, add), found, own, family, inside));
      installed.add(family);
    }
    for (const step of steps) await write(step, step.script.added, draining);
  }

  function stepTo(
    rules: readonly NatRule[],
    found: SavedTable,
    { programs, variant }: Own,
    family: Family,
    inside: readonly InsideInterface[],
  ): Step {
    const masquerade = printMasquerade(rules, inside, family, kernelRelease);
    const script = correct(found, { rules, masquerade }, family);
    return { variant, program: programs.name(variant, family), script };
  }

  /** The rules that are there, with the change made. Error: `kernel_refused`. */
  function changed(
    found: SavedTable,
    family: Family,
    remove: readonly NatRule[],
    add: readonly NatRule[],
  ): readonly NatRule[] {
    const present = readRules(found.chains.get(TRANSLATE) ?? [], family).rules.values();
    const rules = new Map(Array.from(present, ({ rule }) => [printMatch(rule), rule]));
    for (const rule of remove) {
      const there = rules.get(printMatch(rule));
      if (there === undefined || printRule(there) !== printRule(rule))
        throw refused('removing what is not there', rule);
      rules.delete(printMatch(rule));
    }
    for (const rule of add) {
      if (rules.has(printMatch(rule))) throw refused('adding what is there already', rule);
      rules.set(printMatch(rule), rule);
    }
    return [...rules.values()];
  }

  function refused(what: string, rule: NatRule): Error {
    return hatobaError('kernel_refused', { namespace: kernel.namespace, reason: `${what}: ${printRule(rule)}` });
  }

  async function counters(forward: ForwardId | null): Promise<ReadonlyMap<ForwardId, Counters>> {
    const iptables = await kernel.readIptables();
    const sums = new Map<ForwardId, Counters>();
    if (iptables.tables.length === 0) return sums;
    const own = await ownPrograms();
    for (const family of FAMILIES) {
      const saved = (await readOwn(iptables, own, family, COUNTERS_WITHIN)).chains.get(TRANSLATE) ?? [];
      for (const { rule, packets } of readRules(saved, family).rules.values()) {
        if (forward !== null && rule.forward !== forward) continue;
        // The table nat sees the first packet of each flow alone.
        const counted: Counters = { connections: packets, in: null, out: null };
        const before = sums.get(rule.forward);
        sums.set(rule.forward, before === undefined ? counted : addCounters(before, counted));
      }
    }
    return sums;
  }

  async function storedRules(
    { iptables: { tables } }: Found,
    isMeant: (forward: ForwardId) => boolean,
  ): Promise<readonly Rule[]> {
    if (tables.length === 0) return [];
    const programs = await findPrograms(kernel);
    const rules: Rule[] = [];
    for (const { variant, family } of tables) {
      const saved = (await read(programs.name(variant, family))).chains.get(TRANSLATE) ?? [];
      const found = Array.from(readRules(saved, family).rules.values(), ({ rule }) => rule);
      rules.push(...joinSources(found.filter(({ forward }) => isMeant(forward))));
    }
    return rules;
  }

  async function remove({ iptables }: Found, stay: Iterable<Rule>, draining: Draining): Promise<void> {
    installed.clear();
    await removeFrom(iptables, () => true, stay, draining);
  }

  async function removeFrom(
    { tables }: IptablesState,
    isMeant: (table: NatTable) => boolean,
    stay: Iterable<Rule>,
    draining: Draining,
  ): Promise<void> {
    const meant = tables.filter(isMeant);
    if (meant.length === 0) return;
    const programs = await findPrograms(kernel);
    const rules = [...stay];
    for (const { variant, family } of meant) {
      const program = programs.name(variant, family);
      const script = removal(await read(program), family);
      await write({ variant, program, script }, natRulesOf(rules, family), draining);
    }
  }

  /** Error: `kernel_refused`, on a machine without iptables. */
  async function ownPrograms(): Promise<Own> {
    const programs = await findPrograms(kernel);
    if (programs.variant !== null) return { programs, variant: programs.variant };
    throw hatobaError('kernel_refused', { namespace: kernel.namespace, reason: 'this machine has no iptables' });
  }

  async function readOwn(
    { tables }: IptablesState,
    { programs, variant }: Own,
    family: Family,
    within?: number,
  ): Promise<SavedTable> {
    const isThere = tables.some((table) => table.variant === variant && table.family === family);
    return isThere ? read(programs.name(variant, family), within) : NO_TABLE;
  }

  /** A table that has chains of ours. Error: `kernel_refused`. */
  async function read(program: string, within?: number): Promise<SavedTable> {
    const saved = readSaved(await save(kernel, program, within));
    if (CHAINS.some((chain) => saved.chains.has(chain))) return saved;
    // iptables-nft says so only in a comment, where others have put rules there that it does not understand.
    const reason = `${program}-save does not print the table nat, though it has our chains`;
    throw hatobaError('kernel_refused', { namespace: kernel.namespace, reason });
  }

  /** One transaction, then the flows that it leaves behind. `after`: what leads flows then. */
  async function write(
    { variant, program, script }: Step,
    after: readonly NatRule[],
    draining: Draining,
  ): Promise<void> {
    if (script.lines.length === 0) return;
    await whileListening(TRANSACTIONS[variant], () => restore(kernel, program, script.lines));
    await endFlows(script.removed, after, draining);
  }

  async function endFlows(before: readonly Rule[], after: readonly Rule[], draining: Draining): Promise<void> {
    const removed = before.filter(({ forward }) => !draining.has(forward));
    if (removed.length + after.length === 0) return;
    tellFlowsLeft(await kernel.endFlows({ removed: flowRulesOf(removed), added: flowRulesOf(after) }), around);
  }

  /**
   * What iptables-nft writes is reported as if it were a stranger's. That it is so many `transactions` at most tells ours
   * from others': those that come meanwhile raise the generation further. Where it fails, everything is looked at again
   * anyway.
   */
  async function whileListening(transactions: number, work: () => Promise<void>): Promise<void> {
    const before = await kernel.readIptables();
    const listener = { hasHeard: false };
    listening = listener;
    let after: IptablesState;
    try {
      await work();
      after = await kernel.readIptables();
    } finally {
      listening = null;
    }
    const isOthers = ((after.generation - before.generation) | 0) > transactions;
    if (listener.hasHeard && isOthers) around.onDisturbed();
  }

  function disturbed(): boolean {
    if (listening === null) return true;
    listening.hasHeard = true;
    return false;
  }
}
