import { parseAddress } from '../../model/address.ts';
import type { Gateways } from '../../model/router.ts';
import type { Baseline, Problem, RouterStatus } from '../../model/status.ts';
import { statusKey } from '../keys.ts';
import {
  countField,
  type Fields,
  fieldsOf,
  mapField,
  readRecord,
  textField,
  textOrNullField,
  textsField,
} from '../record.ts';

/** The value for the store, without what is undefined; gateways as `{"4": "192.0.2.1"}`; the inverse of `readStatus`. */
export function writeStatus(status: RouterStatus): string {
  const { router, node, instances, revision, at, problems, warnings, orphaned, error } = status;
  const gateways = { 4: status.gateways[4]?.text, 6: status.gateways[6]?.text };
  const baseline = status.baseline && {
    ...status.baseline,
    gateways: status.baseline.gateways.map(({ text }) => text),
  };
  return JSON.stringify({
    router,
    node,
    instances,
    gateways,
    revision,
    at,
    problems,
    warnings,
    orphaned,
    error,
    baseline,
  });
}

/** Error: `store_unreadable`, naming the key. */
export function readStatus(key: string, value: string): RouterStatus {
  return readRecord(key, value, (fields) => {
    const [router, node] = [textField(fields, 'router'), textField(fields, 'node')];
    if (statusKey(router, node) !== key) throw new TypeError('it belongs to another key');
    return Object.freeze({
      router,
      node,
      instances: textsField(fields, 'instances'),
      gateways: readGateways(fieldsOf(fields['gateways'])),
      revision: countField(fields, 'revision'),
      at: textField(fields, 'at'),
      problems: mapField(fields, 'problems', (problems, id) => readProblem(fieldsOf(problems[id]))),
      // Nodes that have none do not say so.
      ...(fields['warnings'] === undefined
        ? {}
        : { warnings: mapField(fields, 'warnings', (warnings, id) => textsField(warnings, id)) }),
      ...(fields['orphaned'] === undefined ? {} : { orphaned: countField(fields, 'orphaned') }),
      error: textOrNullField(fields, 'error'),
      // Statuses that were written before there was one have none.
      ...(fields['baseline'] === undefined ? {} : { baseline: readBaseline(fieldsOf(fields['baseline'])) }),
    });
  });
}

function readBaseline(fields: Fields): Baseline {
  return Object.freeze({
    revision: countField(fields, 'revision'),
    at: textField(fields, 'at'),
    gateways: textsField(fields, 'gateways').map(parseAddress),
  });
}

function readGateways(fields: Fields): Gateways {
  return Object.freeze({
    ...(fields['4'] === undefined ? {} : { 4: parseAddress(textField(fields, '4')) }),
    ...(fields['6'] === undefined ? {} : { 6: parseAddress(textField(fields, '6')) }),
  });
}

function readProblem(fields: Fields): Problem {
  const { state } = fields;
  if (state !== 'pending' && state !== 'error')
    throw new TypeError('the state of a problem is neither pending nor error');
  return { state, message: textField(fields, 'message') };
}
