import { HatobaError } from '../model/errors.ts';
import type { Dataplane } from './dataplane.ts';

/** Cleans every one of them; what is gone meanwhile is clean. Throws the first other failure, after all were tried. */
export async function cleanAll(dataplane: Dataplane, ids: Iterable<string>): Promise<void> {
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      await dataplane.clean(id);
    } catch (error) {
      if (!(error instanceof HatobaError) || error.code !== 'namespace_gone') failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
