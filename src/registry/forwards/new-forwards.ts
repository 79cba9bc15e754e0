import { randomUUID } from 'node:crypto';
import { inItem } from '../../model/batch-item.ts';
import type { ForwardSpec } from '../../model/forward.ts';
import { type ForwardDraft, isAuto } from '../../model/forward-draft.ts';
import type { RouterId } from '../../model/router.ts';
import type { ForwardBatch } from '../registry.ts';
import type { Conflicts } from './auto-ports.ts';
import { createPortIndex, type PortIndex } from './port-index.ts';

/**
 * What new forwards of one request are to be. Ports that some leave open are chosen (`specOf`) when those that others name
 * are known, so that their order does not matter. An error names the item.
 */
export function specsOf(
  drafts: readonly ForwardDraft[],
  index: Conflicts,
  specOf: (draft: ForwardDraft, known: Conflicts) => ForwardSpec,
): readonly ForwardSpec[] {
  const routers = new Map<RouterId, PortIndex<ForwardSpec & { readonly id: string }>>();
  const known: Conflicts = {
    conflictsOf: (spec, gateways) => [
      ...index.conflictsOf(spec, gateways),
      ...(routers.get(spec.router)?.conflictsOf(spec, gateways) ?? []),
    ],
  };
  const isOpen = ({ draft }: { readonly draft: ForwardDraft }) => Number(isAuto(draft.externalPorts));
  const inTurn = drafts.map((draft, item) => ({ draft, item })).toSorted((a, b) => isOpen(a) - isOpen(b));
  const specs = new Map<number, ForwardSpec>();
  for (const { draft, item } of inTurn) {
    const spec = inItem(item, () => specOf(draft, known));
    const ports = routers.get(spec.router) ?? createPortIndex();
    routers.set(spec.router, ports);
    ports.add({ ...spec, id: String(item) });
    specs.set(item, spec);
  }
  return drafts.flatMap((_, item) => specs.get(item) ?? []);
}

/** The batch that wants them all, and as new ones, whatever there is; their ids ascend, so that they keep their order. */
export function batchOfNew(specs: readonly ForwardSpec[]): ForwardBatch {
  const ids = specs.map(() => randomUUID()).sort();
  const wanted = specs.map((spec, item) => ({ id: ids[item] ?? null, spec, times: null }));
  return { wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false };
}
