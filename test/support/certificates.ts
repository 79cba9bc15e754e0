import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface CertificateFile {
  readonly certificate: string;
  readonly key: string;
}

/** A new certificate that vouches for itself, for 127.0.0.1, and its key, made by openssl: NAME.crt and NAME.key. */
export function makeCertificate(directory: string, name: string, commonName = name): CertificateFile {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${commonName}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...words, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return { certificate, key };
}
