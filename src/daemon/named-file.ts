import { readRegularFile } from '../api/listen/regular-file.ts';
import { hatobaError, reasonOf } from '../model/errors.ts';

/** The text of a file that the configuration names. Error: `config_malformed`. */
export function readNamedFile(file: string): string {
  try {
    return readRegularFile(file).toString('utf8');
  } catch (error) {
    throw hatobaError('config_malformed', { file, reason: reasonOf(error) }, { cause: error });
  }
}
