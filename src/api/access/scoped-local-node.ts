import type { Caller } from '../../model/caller.ts';
import { hatobaError } from '../../model/errors.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { RouterId } from '../../model/router.ts';
import type { InstanceFacts, Passage, RuleFacts } from '../../program/facts.ts';
import type { Registry } from '../../registry/registry.ts';
import type { LocalNode } from '../local-node.ts';

/** In place of texts that quote what others have in the router. */
const HIDDEN = 'whoever runs the router can see which';

/**
 * What this node tells the caller: everything to one of all projects, else what is about its own forwards, those of
 * `registry`. Errors besides: `all_projects_needed` for what cannot be told without that of others.
 */
export function scopeLocalNode(local: LocalNode, caller: Caller, { forwards, statuses }: Registry): LocalNode {
  if (caller.allProjects) return local;
  const isOwn = (id: ForwardId) => forwards.get(id) !== undefined;
  const isThere = (router: RouterId) => statuses.of(router).length > 0 || forwards.ofRouter(router).size > 0;
  const refuse = () => Promise.reject(hatobaError('all_projects_needed', { caller: caller.name }));

  return {
    counters: async (router, id) => (await local.counters(router, id)).filter(({ forward }) => isOwn(forward)),
    liveFlows: async (router, id) => new Map([...(await local.liveFlows(router, id))].filter(([own]) => isOwn(own))),
    flowUsage: async () => (await local.flowUsage()).filter(({ router }) => isThere(router)),
    lookAround: async (router) => (isThere(router) ? local.lookAround(router) : true),
    examineNode: () => local.examineNode(),
    examineRouter: async (router, id, signal) => {
      if (!isThere(router)) return [];
      return (await local.examineRouter(router, id, signal)).map((facts) => withoutOthers(facts, isOwn));
    },
    observe: refuse,
    adoption: { plan: refuse, remove: refuse },
    orphans: { list: refuse, discard: refuse },
  };
}

function withoutOthers(facts: InstanceFacts, isOwn: (id: ForwardId) => boolean): InstanceFacts {
  const own = [...facts.rules].filter(([id]) => isOwn(id));
  return {
    ...facts,
    unread: facts.unread.map(() => HIDDEN),
    routingRules: { 4: facts.routingRules[4].map(() => HIDDEN), 6: facts.routingRules[6].map(() => HIDDEN) },
    rules: new Map(
      own.map(([id, rule]): [ForwardId, RuleFacts] => [id, { ...rule, passages: rule.passages.map(hide) }]),
    ),
  };
}

function hide(passage: Passage): Passage {
  return passage.rule === null ? passage : { ...passage, rule: HIDDEN };
}
