import { NeutronFault } from './faults.ts';
import type { NeutronRequest } from './serving.ts';

const PREFIX = 'revision_number=';

/**
 * Returns the revision that `If-Match: revision_number=5` names, or `undefined` without it. Neutron ignores any other entity
 * tag (neutron, services/revisions/revision_plugin.py). Error: `BadRequest`, where it is no number.
 */
export function revisionOf({ headers }: NeutronRequest): number | undefined {
  const tag = headers['if-match']?.trim().replace(/^"(.*)"$/, '$1') ?? '';
  if (!tag.startsWith(PREFIX)) return undefined;
  const number = tag.slice(PREFIX.length);
  if (/^\d{1,15}$/.test(number)) return Number(number);
  throw new NeutronFault(
    'BadRequest',
    'Bad if-match request: Revision number etag must be in the format of revision_number=<int>.',
  );
}

/** Error: `RevisionNumberConstraintFailed`, where the two differ; `wanted`: `undefined` for any. */
export function requireRevision(wanted: number | undefined, actual: number): void {
  if (wanted === undefined || wanted === actual) return;
  const message = `Constrained to ${wanted}, but current revision is ${actual}`;
  throw new NeutronFault('RevisionNumberConstraintFailed', message);
}
