import { parseAddress } from '../../model/address.ts';
import { inFieldOf } from '../../model/errors.ts';
import type { Forward } from '../../model/forward.ts';
import { parseProtocol } from '../../model/protocol.ts';
import type { RouterId } from '../../model/router.ts';
import { forwardStatus, type RouterStatus } from '../../model/status.ts';
import { printTime } from '../../model/time.ts';
import { requestMalformed } from '../validation.ts';
import { forwardOrder } from './forward-order.ts';
import { DEFAULT_LIMIT, type ForwardListFilter } from './forward-schemas.ts';
import { readRouter } from './router-lookup.ts';

export type StatusesOf = (router: RouterId) => readonly RouterStatus[];

export interface ListedForwards {
  readonly forwards: readonly Forward[];
  /** The marker of the next page; `null`: this is the last one. */
  readonly next: string | null;
}

/**
 * One page of `forwards`, which come oldest first. A forward that keeps what is sorted by during the whole walk through the
 * pages is on exactly one of them, whatever else comes and goes meanwhile: the marker says where the last page ended by
 * that and the id, not by counting. Errors: `request_malformed` for a marker that is none, and those of the filters.
 */
export function listForwards(
  forwards: readonly Forward[],
  statusesOf: StatusesOf,
  filter: ForwardListFilter,
): ListedForwards {
  const { limit = DEFAULT_LIMIT, marker, state } = filter;
  const order = forwardOrder(filter.sort ?? 'created_at');
  const start = marker === undefined ? null : order.parsePlace(marker);
  const conditions = readConditions(filter);
  const meeting =
    conditions.length === 0 ? forwards : forwards.filter((each) => conditions.every((meets) => meets(each)));
  const now = printTime(Date.now());
  const listed: Forward[] = [];
  for (const forward of order.behind(start, meeting)) {
    if (state !== undefined && forwardStatus(forward, statusesOf(forward.router), now).state !== state) continue;
    const last = listed.at(-1);
    if (last !== undefined && listed.length === limit) return { forwards: listed, next: order.printPlace(last) };
    listed.push(forward);
  }
  return { forwards: listed, next: null };
}

type Condition = (forward: Forward) => boolean;

/** What the filter asks of a forward, but for its state. Each value is read as that of a forward is. */
function readConditions(filter: ForwardListFilter): readonly Condition[] {
  const readers: readonly (readonly [string | undefined, string, (value: string) => Condition])[] = [
    [filter.router, 'router', routerIs],
    [
      filter.project_id,
      'project_id',
      (value) =>
        ({ projectId }) =>
          projectId === value,
    ],
    [
      filter.name,
      'name',
      (value) =>
        ({ name }) =>
          name === value,
    ],
    [filter.protocol, 'protocol', protocolIs],
    [filter.internal_address, 'internal_address', internalAddressIs],
    [filter.label, 'label', hasLabel],
  ];
  return readers.flatMap(([value, field, read]) => (value === undefined ? [] : [inFieldOf(field, () => read(value))]));
}

function routerIs(text: string): Condition {
  const wanted = readRouter(text);
  return ({ router }) => router === wanted;
}

function protocolIs(text: string): Condition {
  const wanted = parseProtocol(text);
  return ({ protocol }) => protocol === wanted;
}

function internalAddressIs(text: string): Condition {
  const { text: wanted } = parseAddress(text);
  return ({ internalAddress }) => internalAddress.text === wanted;
}

function hasLabel(text: string): Condition {
  const at = text.indexOf('=');
  if (at < 1) throw requestMalformed(`label must be KEY=VALUE, not ${text}`, 'label');
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  return ({ labels }) => Object.hasOwn(labels, key) && labels[key] === value;
}
