import type { Dataplane } from '../dataplane/dataplane.ts';
import type { Neighbours } from '../dataplane/neighbours.ts';
import { planAdoption } from '../interchange/adoption.ts';
import type { AdoptionOptions, AdoptionPlan, ForeignRule, Removal } from '../model/adoption.ts';
import type { Gateways, RouterId } from '../model/router.ts';
import type { Forwards } from '../registry/registry.ts';
import type { Places } from './places.ts';

/** Takes over rules that others have in this node's routers. Errors: those of `Neighbours`. */
export interface Adoption {
  /** `null`: the router is not here. */
  plan(router: RouterId, options: AdoptionOptions): Promise<AdoptionPlan | null>;
  /** Takes away just these rules; in their order. */
  remove(rules: readonly ForeignRule[]): Promise<readonly Removal[]>;
}

export interface AdoptionParts {
  readonly neighbours: Neighbours;
  readonly places: Places;
  readonly forwards: Forwards;
  readonly gatewaysOf: (router: RouterId) => Gateways;
  readonly dataplane: Pick<Dataplane, 'outsideAddresses'>;
}

export function createAdoption(parts: AdoptionParts): Adoption {
  const { neighbours, places, forwards, gatewaysOf, dataplane } = parts;
  return {
    async plan(router, options) {
      const here = places.of(router);
      if (here.length === 0) return null;
      const read = here.map(async ({ instance: { id } }) => ({ id, texts: await neighbours.read(id) }));
      const instances = await Promise.all(read);
      const existing = [...forwards.ofRouter(router).values()];
      const gateways = gatewaysOf(router);
      const addresses = here.flatMap(({ instance: { id } }) => dataplane.outsideAddresses(id));
      const request = { ...options, router, gateways, addresses, existing, priority: neighbours.priority };
      const unread = instances.flatMap(({ id, texts }) => texts.unread.map((reason) => `${id}: ${reason}`));
      return { ...planAdoption(instances, request), unread, addresses };
    },

    async remove(rules) {
      const removals = new Map<ForeignRule, Removal>();
      for (const [id, those] of Map.groupBy(rules, ({ instance }) => instance)) {
        const outcomes = await neighbours.remove(id, those);
        for (const [at, rule] of those.entries()) {
          const outcome = outcomes[at];
          if (outcome !== undefined) removals.set(rule, outcome);
        }
      }
      return rules.map((rule) => removals.get(rule) ?? { outcome: 'gone', reason: null });
    },
  };
}
