import { type Forward, printForwardSpec } from '../../model/forward.ts';
import type { RouterId } from '../../model/router.ts';
import { type ForwardStatus, forwardStatus, type RouterStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import type { Registry } from '../../registry/registry.ts';
import { requestMalformed } from '../validation.ts';
import { DEFAULT_LIMIT, type ForwardDocument, type ForwardListFilter, type ForwardPage } from './forward-schemas.ts';

/** How the forward stands at this moment. */
export function statusNow(forward: Forward, { statuses }: Registry): ForwardStatus {
  return forwardStatus(forward, statuses.of(forward.router), printTime(Date.now()));
}

export type StatusesOf = (router: RouterId) => readonly RouterStatus[];

export function printForward(forward: Forward, status: ForwardStatus): ForwardDocument {
  return {
    ...printForwardSpec(forward),
    id: forward.id,
    revision: forward.revision,
    created_at: forward.createdAt,
    updated_at: forward.updatedAt,
    status,
  };
}

/**
 * One page of `forwards`, which come oldest first. A forward that is there during the whole walk through
 * the pages is on exactly one of them, whatever else comes and goes meanwhile: the marker says where the
 * last page ended by time of creation and id, which never change, not by counting.
 * Errors: `request_malformed` for a marker that is none.
 */
export function listForwards(
  forwards: readonly Forward[],
  statusesOf: StatusesOf,
  filter: Omit<ForwardListFilter, 'router'> & { readonly router?: RouterId },
): Omit<ForwardPage, 'revision'> {
  const limit = filter.limit ?? DEFAULT_LIMIT;
  const after = filter.marker === undefined ? null : parseMarker(filter.marker);
  const now = printTime(Date.now());
  const documents: ForwardDocument[] = [];
  let last: Forward | null = null;
  for (const forward of forwards) {
    if (filter.router !== undefined && forward.router !== filter.router) continue;
    if (filter.project_id !== undefined && forward.projectId !== filter.project_id) continue;
    if (after !== null && !isAfter(forward, after)) continue;
    const status = forwardStatus(forward, statusesOf(forward.router), now);
    if (filter.state !== undefined && status.state !== filter.state) continue;
    if (last !== null && documents.length === limit) return { forwards: documents, next: printMarker(last) };
    documents.push(printForward(forward, status));
    last = forward;
  }
  return { forwards: documents, next: null };
}

type Marker = Pick<Forward, 'createdAt' | 'id'>;

function printMarker({ createdAt, id }: Marker): string {
  return `${createdAt}~${id}`;
}

function parseMarker(text: string): Marker {
  const [createdAt, id, ...rest] = text.split('~');
  if (createdAt === undefined || id === undefined || rest.length > 0) {
    throw requestMalformed('marker is not the next of a page', 'marker');
  }
  return { createdAt, id };
}

function isAfter(forward: Forward, marker: Marker): boolean {
  return forward.createdAt === marker.createdAt ? forward.id > marker.id : forward.createdAt > marker.createdAt;
}
