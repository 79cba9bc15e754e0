import { createHash, randomUUID } from 'node:crypto';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { AdoptableRule, AdoptionPlan } from '../../model/adoption.ts';
import { hatobaError } from '../../model/errors.ts';
import { printForwardSpec } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { BatchOutcome, Registry } from '../../registry/registry.ts';
import { ADMIN } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import type { LocalNode } from '../local-node.ts';
import { problemResponses } from '../problem.ts';
import { type AdoptRequest, type AdoptResult, AdoptResultSchema, AdoptSchema } from './adopt-schemas.ts';
import { printChange } from './apply-documents.ts';
import { statusNow } from './forward-documents.ts';
import { patience } from './patience.ts';
import { chooseRouter } from './router-lookup.ts';
import { WaitQuery } from './schemas.ts';
import type { Patience } from './settling.ts';
import { untilApplied } from './settling.ts';

const schema = {
  operationId: 'adoptRules',
  summary: 'Take over rules that were made by hand in a router of this node',
  tags: ['forwards'],
  querystring: WaitQuery,
  body: AdoptSchema,
  response: { 200: AdoptResultSchema, ...problemResponses },
};

type AdoptedRule = AdoptResult['rules'][number];

interface AdoptDeps extends Omit<RouteDeps, 'registryOf' | 'localOf'> {
  readonly local: LocalNode;
  readonly registry: Registry;
}

/** Takes over the rules that were made by hand in one of this node's routers. */
export function adopt({ registryOf, localOf, ...deps }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    api.post('/adopt', { schema, config: { access: ADMIN } }, (request, reply) => {
      const { caller } = request;
      const own = { ...deps, registry: registryOf(caller), local: localOf(caller) };
      return carryOut(own, request.body, patience(request, reply));
    });
    done();
  };
}

async function carryOut(deps: AdoptDeps, request: AdoptRequest, patience: Patience): Promise<AdoptResult> {
  const { registry, node, local, waiting } = deps;
  const router = chooseRouter(request.router, registry.statuses.routers());
  const options = {
    followGateway: request.follow_gateway === true,
    allAddresses: request.all_addresses === true,
    outside: request.outside ?? [],
  };
  const plan = await local.adoption.plan(router, options);
  if (plan === null) throw hatobaError('router_elsewhere', { router, node: node.name });
  const digest = digestOf(plan);
  if (request.plan !== undefined && request.plan !== digest) throw hatobaError('adopt_changed', { router });
  const dryRun = request.dry_run === true;
  const ids = plan.forwards.map(() => randomUUID()).sort();
  const outcome = await registry.forwards.apply({
    // With ids of their own they are new: a forward that has come to their place meanwhile is in conflict with them.
    wanted: plan.forwards.map((spec, at) => ({ id: ids[at] ?? null, spec, times: null })),
    prunes: () => false,
    dryRun,
    kind: 'apply',
    intoEmpty: false,
  });
  if (!dryRun) await untilApplied(registry, waiting, new Set([router]), outcome.revision, patience);
  const rules = dryRun ? plan.rules.map(planned) : await removeRules(deps, plan.rules, ids);
  return printResult(deps, { router, plan, digest, dryRun, outcome, rules });
}

/** Removes those whose forwards are all active on this node. */
async function removeRules(
  { registry, node, local }: AdoptDeps,
  rules: readonly AdoptableRule[],
  created: readonly ForwardId[],
): Promise<readonly AdoptedRule[]> {
  const judged = rules.map((rule) => {
    const ids = [...rule.present, ...rule.created.map((at) => created[at] ?? '')];
    return { rule, ids, obstacle: ids.map(obstacleOf).find((reason) => reason !== null) ?? null };
  });
  const ready = judged.filter(({ obstacle }) => obstacle === null).map(({ rule }) => rule);
  const removals = await local.adoption.remove(ready);
  return judged.map(({ rule, ids, obstacle }): AdoptedRule => {
    const kept = { outcome: 'kept', reason: obstacle } as const;
    return { ...textOf(rule), ...(removals[ready.indexOf(rule)] ?? kept), forwards: ids };
  });

  /** Why the forward cannot take the place of a rule. */
  function obstacleOf(id: ForwardId): string | null {
    const forward = registry.forwards.get(id);
    if (forward === undefined) return `the forward ${id} has been removed`;
    const here = statusNow(forward, registry).nodes.find((status) => status.node === node.name);
    if (here?.state === 'active') return null;
    return `the forward ${id} is ${here?.state ?? 'waiting'}: ${here?.message ?? 'this node does not have it yet'}`;
  }
}

function planned(rule: AdoptableRule): AdoptedRule {
  return { ...textOf(rule), outcome: 'planned', reason: null, forwards: rule.present };
}

function textOf({ instance, program, text }: AdoptableRule): Pick<AdoptedRule, 'instance' | 'program' | 'text'> {
  return { instance, program, text };
}

interface Outcome {
  readonly router: RouterId;
  readonly plan: AdoptionPlan;
  readonly digest: string;
  readonly dryRun: boolean;
  readonly outcome: BatchOutcome;
  readonly rules: readonly AdoptedRule[];
}

function printResult(
  { registry, node }: AdoptDeps,
  { router, plan, digest, dryRun, outcome, rules }: Outcome,
): AdoptResult {
  const owners = Map.groupBy(plan.owners, (owner) => owner);
  return {
    router,
    node: node.name,
    plan: digest,
    dry_run: dryRun,
    revision: outcome.revision,
    changes: outcome.changes.map((change) => printChange(dryRun ? { ...change, id: null } : change, registry, dryRun)),
    rules,
    left: plan.left,
    bypassed: plan.bypassed,
    unread: plan.unread,
    addresses: plan.addresses.map(({ interface: name, address }) => ({ interface: name, address: address.text })),
    owned: [...owners].map(([owner, those]) => ({ owner, rules: those.length })),
  };
}

/** The same for plans that come to the same. */
function digestOf({ forwards, rules, left, bypassed, unread }: AdoptionPlan): string {
  const content = JSON.stringify([forwards.map(printForwardSpec), rules, left, bypassed, unread]);
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
