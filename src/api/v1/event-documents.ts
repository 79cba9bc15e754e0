import type { Problem } from '../../model/status.ts';
import { forwardStatus, type RouterStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry, RegistryChange } from '../../registry/registry.ts';
import { printForward } from './forward-documents.ts';
import type { ForwardDocument } from './forward-schemas.ts';
import { printGateways, printRouter } from './router-documents.ts';
import type { RouterDocument } from './router-schemas.ts';

/** What a node says about a router it has. */
export interface StatusEventDocument {
  readonly instances: readonly string[];
  readonly gateways: readonly string[];
  readonly revision: number;
  readonly at: string;
  readonly error: string | null;
  /** By forward. */
  readonly problems: Readonly<Record<string, Problem>>;
  readonly warnings: Readonly<Record<string, readonly string[]>>;
}

/** What is told of, by name, and what about it; null: it is gone. */
export type EventDocument =
  /** What comes after is told from `revision` on; what was before has to be read again. */
  | { readonly event: 'reset'; readonly data: { readonly revision: number } }
  | {
      readonly event: 'forward';
      readonly data: { readonly id: string; readonly router: string; readonly forward: ForwardDocument | null };
    }
  | {
      readonly event: 'status';
      readonly data: { readonly router: string; readonly node: string; readonly status: StatusEventDocument | null };
    }
  | { readonly event: 'router'; readonly data: { readonly id: string; readonly router: RouterDocument | null } }
  | { readonly event: 'node'; readonly data: { readonly name: string; readonly routers: number } };

/** One change as events: each tells how things stand when it is sent, which may be later than the change. */
export function* printEvents(change: RegistryChange, registry: Registry): Generator<EventDocument, void> {
  for (const changed of change.forwards) yield forwardEvent(changed, registry);
  for (const changed of change.statuses) yield statusEvent(changed);
  for (const id of change.routers) yield routerEvent(id, registry);
  for (const { name } of change.nodes) yield nodeEvent(name, registry);
}

function forwardEvent(
  { router, id, forward }: RegistryChange['forwards'][number],
  { statuses }: Registry,
): EventDocument {
  const status = forward && forwardStatus(forward, statuses.of(router), printTime(Date.now()));
  return { event: 'forward', data: { id, router, forward: forward && status && printForward(forward, status) } };
}

function statusEvent({ router, node, status }: RegistryChange['statuses'][number]): EventDocument {
  return { event: 'status', data: { router, node, status: status && printStatus(status) } };
}

function printStatus({
  instances,
  gateways,
  revision,
  at,
  error,
  problems,
  warnings = {},
}: RouterStatus): StatusEventDocument {
  return { instances, gateways: printGateways(gateways), revision, at, error, problems, warnings };
}

function routerEvent(id: string, { forwards, statuses }: Registry): EventDocument {
  const [known, count] = [statuses.of(id), forwards.ofRouter(id).size];
  const gone = known.length === 0 && count === 0;
  return { event: 'router', data: { id, router: gone ? null : printRouter(id, count, known) } };
}

function nodeEvent(name: string, { statuses }: Registry): EventDocument {
  return { event: 'node', data: { name, routers: statuses.ofNode(name).length } };
}
