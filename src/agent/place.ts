import { type Dataplane, type Instance, UNCERTAIN_PROTOCOLS } from '../dataplane/dataplane.ts';
import { HatobaError, reasonOf } from '../model/errors.ts';
import type { ForwardId } from '../model/ids.ts';
import type { ProtocolLimits, RouterId } from '../model/router.ts';
import { addressesOf, type Baseline } from '../model/status.ts';
import { printTime } from '../model/time.ts';
import { isEmpty } from '../program/diff.ts';
import { outdatedRules } from '../program/outdated-rules.ts';
import { createAlarm } from './alarm.ts';
import { type Applied, createApplied, type Plan } from './applied.ts';
import type { Desired } from './desired.ts';
import { createExpiries } from './expiries.ts';
import { createFight } from './fight.ts';

/** The state that one attempt brings the instance to. */
interface Goal extends Desired {
  /** The forwards it is about. */
  readonly ids: ReadonlySet<ForwardId> | 'all';
  readonly limits: ProtocolLimits;
  /** What has expired by then is not desired any more. */
  readonly now: string;
}

export interface PlaceOptions {
  readonly dataplane: Dataplane;
  /** Reads all of it in one step, without a pause; called once for each attempt. */
  readonly desired: (router: RouterId, ids: ReadonlySet<ForwardId> | 'all', since: number) => Desired;
  /** Called before the instance is changed for the first time, again where it failed. */
  readonly prepare: (instance: Instance) => Promise<void>;
  /** Something is pending: call `pass` once. Called again after that pass for what became pending during it. */
  readonly onDue: (place: Place) => void;
  /** How far back what the kernel has there can date, by what the store says. */
  readonly baseline: Baseline;
  /** Its status may be another now: after each pass, also while more is pending. */
  readonly onStatus: (place: Place) => void;
  readonly onCorrected: (place: Place, correction: Corrected) => void;
  readonly onFailed: (place: Place, error: unknown) => void;
}

export interface Corrected {
  readonly corrections: number;
  readonly milliseconds: number;
  /** Somebody else had changed what was left there; otherwise it is another program that is wanted now. */
  readonly isForeign: boolean;
}

/** One instance of a router, kept as the store wants it. */
export interface Place {
  readonly instance: Instance;
  readonly applied: Applied;
  /** Everything up to here is in the kernel; 0: nothing yet. */
  readonly revision: number;
  /** How far back what the kernel has can date. */
  readonly baseline: Baseline;
  /** When that was so last, as `printTime` gives it: what had expired by then has been taken out. */
  readonly at: string;
  readonly error: string | null;
  /** The instance was found changed. */
  update(instance: Instance): void;
  /** These forwards may have changed. */
  mark(due: ReadonlySet<ForwardId> | 'all'): void;
  /** The clock may show any time now: what has expired by it is due, and what has not. */
  lookAtClock(): void;
  /** Somebody else may have changed what we wrote. */
  disturb(now: number): void;
  /**
   * Reconciles once what is pending. What becomes pending meanwhile is left to the next pass, so that the status is
   * published and other places get their turn however fast changes come.
   */
  pass(): Promise<void>;
  stop(): void;
}

const FIRST_RETRY = 100;
const LONGEST_RETRY = 30_000;

export function createPlace(first: Instance, options: PlaceOptions): Place {
  const { dataplane, desired } = options;
  const applied = createApplied();
  const fight = createFight();
  const expiries = createExpiries();
  const alarm = createAlarm(() => mark(expiries.until(clock())));
  let instance = first;
  let prepared = false;
  /** Whether `applied` is what the kernel has. */
  let trusted = false;
  /** How often somebody else may have changed what we wrote, and how often of these that was put right. */
  let [disturbances, repairs] = [0, 0];
  let due: ReadonlySet<ForwardId> | 'all' | null = null;
  let passing = false;
  let revision = 0;
  let at = clock();
  let { baseline } = options;
  let failure: string | null = null;
  let contest: string | null = null;
  let retry = FIRST_RETRY;
  let retryTimer: NodeJS.Timeout | undefined;
  let contestTimer: NodeJS.Timeout | undefined;
  let stopped = false;

  const place: Place = {
    get instance() {
      return instance;
    },
    get revision() {
      return revision;
    },
    get at() {
      return at;
    },
    get baseline() {
      return baseline;
    },
    get error() {
      return failure ?? contest;
    },
    applied,
    update(changed) {
      instance = changed;
      // What the data plane adds to a program depends on the instance, too.
      trusted = false;
    },
    mark,
    lookAtClock,
    disturb,
    pass,
    stop,
  };
  return place;

  function mark(more: ReadonlySet<ForwardId> | 'all'): void {
    if (stopped) return;
    const waiting = due !== null;
    if (more === 'all' || due === 'all') due = 'all';
    else due = new Set(due ?? []).union(more);
    if (!waiting && !passing) options.onDue(place);
  }

  /** The timer is set anew by the pass, which finds out by itself what is due; the kernel's own timers go by another clock. */
  function lookAtClock(): void {
    if (expiries.next() === null && clock() >= at) return;
    trusted = false;
    mark(new Set());
  }

  function disturb(now: number): void {
    if (stopped) return;
    trusted = false;
    disturbances++;
    const wait = fight.disturbed(now);
    if (wait === 0) {
      mark('all');
      return;
    }
    contest = `another program has changed our table ${fight.count()} times in a row; it is put right after ${wait} ms`;
    options.onStatus(place);
    clearTimeout(contestTimer);
    contestTimer = setTimeout(() => {
      contestTimer = setTimeout(calm, fight.calmAfter());
      mark('all');
    }, wait);
  }

  function calm(): void {
    contest = null;
    options.onStatus(place);
  }

  async function pass(): Promise<void> {
    if (due === null) return;
    const marked = due;
    due = null;
    passing = true;
    try {
      await reconcile(marked);
    } catch (error) {
      fail(error);
    } finally {
      passing = false;
      options.onStatus(place);
      if (due !== null) options.onDue(place);
    }
  }

  function fail(error: unknown): void {
    trusted = false;
    // What became due meanwhile is part of the next attempt; left here, it would look as if a turn had been asked for.
    due = null;
    // What the first repetition puts right is no error that a waiting request is to be answered with.
    if (retry > FIRST_RETRY) failure = reasonOf(error);
    if (stopped) return;
    options.onFailed(place, error);
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => mark('all'), retry);
    retry = Math.min(2 * retry, LONGEST_RETRY);
  }

  function stop(): void {
    stopped = true;
    due = null;
    alarm.set(null);
    clearTimeout(retryTimer);
    clearTimeout(contestTimer);
  }

  async function reconcile(marked: ReadonlySet<ForwardId> | 'all'): Promise<void> {
    if (!prepared) await options.prepare(instance);
    prepared = true;
    if (stopped) return;
    const now = clock();
    const ids = withExpired(marked, now);
    const outcome = trusted ? await tryChange(ids, now) : 'untrusted';
    if (outcome !== 'done') await synchronise(now, outcome === 'refused');
  }

  /** What has expired since the last pass is due, too. Where the clock was set back, what had expired may not have. */
  function withExpired(marked: ReadonlySet<ForwardId> | 'all', now: string): ReadonlySet<ForwardId> | 'all' {
    if (marked === 'all' || !trusted || now < at) return 'all';
    return marked.union(expiries.until(now));
  }

  /**
   * Reads what is desired now. Limits are requested only where a protocol makes them matter, and anew each time, since an
   * operator may just have changed them; the registry is read before, and not again afterwards.
   */
  async function readGoal(ids: ReadonlySet<ForwardId> | 'all', now: string): Promise<Goal> {
    const values = desired(instance.router, ids, baseline.revision);
    const isUncertain = values.forwards.values().some(({ protocol }) => UNCERTAIN_PROTOCOLS.has(protocol));
    return { ...values, ids, limits: isUncertain ? await dataplane.limits(instance.id) : {}, now };
  }

  /** `refused`: the kernel rejected the change, as it does when another process has changed what the change is based on. */
  async function tryChange(ids: ReadonlySet<ForwardId> | 'all', now: string): Promise<'done' | 'refused'> {
    try {
      await applyChange(ids, now);
      return 'done';
    } catch (error) {
      if (!(error instanceof HatobaError) || error.code !== 'kernel_refused') throw error;
      return 'refused';
    }
  }

  async function applyChange(ids: ReadonlySet<ForwardId> | 'all', now: string): Promise<void> {
    const some = await readGoal(ids, now);
    if (stopped) return;
    const plan = planFor(some);
    if (plan !== undefined) return apply(plan, some);
    const all = await readGoal('all', now);
    if (!stopped) await apply(planAll(all), all);
  }

  async function apply(plan: Plan, goal: Goal): Promise<void> {
    if (!isEmpty(plan.change)) await dataplane.apply(instance.id, plan.change, goal.draining);
    finish(plan, goal);
  }

  /** `undefined`: the change touches other forwards' ports, so that all have to be planned. */
  function planFor(goal: Goal): Plan | undefined {
    const { ids, forwards, gateways, limits, now } = goal;
    return ids === 'all' ? planAll(goal) : applied.planSome(ids, forwards, gateways, limits, now);
  }

  function planAll({ forwards, gateways, limits, now, orphaned }: Goal): ReturnType<Applied['planAll']> {
    return applied.planAll(forwards, gateways, limits, now, orphaned);
  }

  async function synchronise(now: string, isRefused: boolean): Promise<void> {
    const started = performance.now();
    const goal = await readGoal('all', now);
    if (stopped) return;
    const seen = disturbances;
    const plan = planAll(goal);
    trusted = true;
    // An earlier process can have programmed more than this one knows of.
    const outdated = outdatedRules({ ...goal, baseline, program: plan.program, known: plan.change.remove });
    const farewell = { draining: goal.draining, gone: [...plan.change.remove, ...outdated] };
    const { corrections } = await dataplane.synchronise(instance.id, plan.program, farewell);
    finish(plan, goal);
    const isForeign = isRefused || repairs < seen;
    repairs = seen;
    const milliseconds = performance.now() - started;
    if (corrections > 0) options.onCorrected(place, { corrections, milliseconds, isForeign });
  }

  /** The goal is in the kernel: all that this place reports changes in one step. */
  function finish(plan: Plan, goal: Goal): void {
    plan.done();
    revision = goal.revision;
    at = goal.now;
    baseline = { revision, at, gateways: addressesOf(goal.gateways) };
    failure = null;
    retry = FIRST_RETRY;
    expiries.update(goal.ids, goal.forwards, goal.now);
    if (!stopped) alarm.set(expiries.next());
  }
}

function clock(): string {
  return printTime(Date.now());
}
