import { X509Certificate } from 'node:crypto';
import { hatobaError, reasonOf } from '../model/errors.ts';
import { readNamedFile } from './named-file.ts';

/** The certificates (PEM) in a file that the configuration names. Error: `config_malformed`. */
export function readAuthorities(file: string): string {
  const text = readNamedFile(file);
  try {
    // TLS itself ignores what it cannot read, and then trusts nobody.
    new X509Certificate(text);
    return text;
  } catch (error) {
    const reason = `it does not begin with a certificate (PEM): ${reasonOf(error)}`;
    throw hatobaError('config_malformed', { file, reason }, { cause: error });
  }
}
