import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type HatobaError, hatobaError, reasonOf } from '../../model/errors.ts';
import { readRegularFile } from './regular-file.ts';

/** Where they are, in PEM: the certificate with those that lead to its authority behind it, the key without a password. */
export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate and the key that belongs to it, as TLS takes them. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** When it ends, in ms since 1970. */
  readonly validTo: number;
}

/** Error: `key_pair_unusable`, which names the file at fault. */
export async function readKeyPair(files: KeyPairFiles): Promise<KeyPair> {
  const [cert, key] = [read(files.certificate), read(files.key)];
  const certificate = parse(files.certificate, () => new X509Certificate(cert));
  const privateKey: KeyObject = parse(files.key, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw unusable(files.key, `it does not belong to the certificate in ${files.certificate}`);
  }
  return Object.freeze({ cert, key, validTo: certificate.validToDate.getTime() });
}

export function sameKeyPair(a: KeyPair, b: KeyPair): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key);
}

function read(file: string): Buffer {
  try {
    return readRegularFile(file);
  } catch (error) {
    throw unusable(file, reasonOf(error), error);
  }
}

function parse<Value>(file: string, how: () => Value): Value {
  try {
    return how();
  } catch (error) {
    throw unusable(file, reasonOf(error), error);
  }
}

function unusable(file: string, reason: string, cause?: unknown): HatobaError {
  return hatobaError('key_pair_unusable', { file, reason }, { cause });
}
