import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type KeyPair, type KeyPairFiles, readKeyPair } from '../../../src/api/listen/key-pair.ts';
import { type KeyPairWatch, watchKeyPair } from '../../../src/api/listen/key-pair-watch.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';

/** Two pairs that are made once, since that takes long. */
let shelf: string;
let directory: string;
const [first, second] = ['first', 'second'];

beforeAll(() => {
  shelf = mkdtempSync(join(tmpdir(), 'hatoba-shelf-'));
  for (const name of ['first', 'second']) makeCertificate(shelf, name);
});
afterAll(() => rmSync(shelf, { recursive: true }));
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-pair-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const onShelf = (name: string) => join(shelf, name);
const inPlace = (): KeyPairFiles => ({ certificate: join(directory, 'tls.crt'), key: join(directory, 'tls.key') });

function put(name: string, { certificate, key } = inPlace()): void {
  copyFileSync(onShelf(`${name}.crt`), certificate);
  copyFileSync(onShelf(`${name}.key`), key);
}

const certificateOf = (name: string) => readFileSync(onShelf(`${name}.crt`));

describe('a pair', () => {
  test('is read', async () => {
    put(first);
    const { cert, validTo } = await readKeyPair(inPlace());
    expect(cert).toEqual(certificateOf(first));
    expect(validTo - Date.now()).toBeGreaterThan(86_400_000);
  });

  test.each<[string, (files: KeyPairFiles) => void, keyof KeyPairFiles, RegExp]>([
    ['a certificate that is not there', ({ certificate }) => rmSync(certificate), 'certificate', /ENOENT/],
    ['a key that is not there', ({ key }) => rmSync(key), 'key', /ENOENT/],
    ['a certificate that is none', ({ certificate }) => writeFileSync(certificate, 'x'), 'certificate', /PEM/],
    ['an empty certificate', ({ certificate }) => writeFileSync(certificate, ''), 'certificate', /./],
    ['a key that is none', ({ key }) => writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nx\n'), 'key', /./],
    ["another's key", ({ key }) => copyFileSync(onShelf('second.key'), key), 'key', /does not belong to .*tls\.crt/],
    ['a key with a password', ({ key }) => encrypt(key), 'key', /./],
    ['files that are exchanged', ({ certificate, key }) => swap(certificate, key), 'certificate', /PEM/],
  ])('with %s is refused, and the file named', async (_name, spoil, at, reason) => {
    const files = inPlace();
    put(first);
    spoil(files);
    const error: unknown = await readKeyPair(files).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'key_pair_unusable', message: expect.stringContaining(`${files[at]} cannot`) });
    expect(error).toMatchObject({ message: expect.stringMatching(reason) });
  });
});

function encrypt(key: string): void {
  execFileSync('openssl', ['ec', '-aes256', '-passout', 'pass:x', '-in', key, '-out', key], { stdio: 'ignore' });
}

function swap(a: string, b: string): void {
  renameSync(a, `${a}.aside`);
  renameSync(b, a);
  renameSync(`${a}.aside`, b);
}

interface Heard extends Disposable {
  readonly watch: KeyPairWatch;
  readonly changes: readonly KeyPair[];
  readonly troubles: readonly unknown[];
}

async function follow(files = inPlace()): Promise<Heard> {
  const changes: KeyPair[] = [];
  const troubles: unknown[] = [];
  const watch = await watchKeyPair(files, {
    onChange: (pair) => changes.push(pair),
    onTrouble: (error) => troubles.push(error),
  });
  return { watch, changes, troubles, [Symbol.dispose]: () => watch.stop() };
}

const toldOf = async ({ changes }: Heard, name: string) => {
  await eventually(() => expect(changes.map(({ cert }) => cert)).toEqual([certificateOf(name)]));
};

describe('another pair is told of', () => {
  test('where the files are written anew', async () => {
    put(first);
    using heard = await follow();
    expect(heard.watch.first.cert).toEqual(certificateOf(first));
    put(second);
    await toldOf(heard, second);
    expect(heard.troubles).toEqual([]);
  });

  test('where links are replaced, as certbot does', async () => {
    const live = inPlace();
    mkdirSync(join(directory, 'archive'));
    const archived = (name: string) => ({
      certificate: join(directory, 'archive', `${name}.crt`),
      key: join(directory, 'archive', `${name}.key`),
    });
    const link = (name: string) => {
      for (const [file, kind] of [
        [live.certificate, 'crt'],
        [live.key, 'key'],
      ] as const) {
        symlinkSync(join('archive', `${name}.${kind}`), `${file}.new`);
        renameSync(`${file}.new`, file);
      }
    };
    put(first, archived(first));
    link(first);
    using heard = await follow();
    put(second, archived(second));
    link(second);
    await toldOf(heard, second);
    // Where the links lead now is followed, too.
    put(first, archived(second));
    await eventually(() => expect(heard.changes.at(-1)?.cert).toEqual(certificateOf(first)));
  });

  test('where the link to a whole directory is replaced, as Kubernetes does', async () => {
    for (const name of [first, second]) {
      const inner = join(directory, `..${name}`);
      mkdirSync(inner);
      put(name, { certificate: join(inner, 'tls.crt'), key: join(inner, 'tls.key') });
    }
    symlinkSync(`..${first}`, join(directory, '..data'));
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(join('..data', file), join(directory, file));
    using heard = await follow();
    symlinkSync(`..${second}`, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    rmSync(join(directory, `..${first}`), { recursive: true });
    await toldOf(heard, second);
  });

  test('where a link to the directory that is named is replaced', async () => {
    for (const name of [first, second]) {
      mkdirSync(join(directory, name));
      put(name, { certificate: join(directory, name, 'tls.crt'), key: join(directory, name, 'tls.key') });
    }
    symlinkSync(first, join(directory, 'current'));
    const inCurrent = (name: string) => join(directory, 'current', name);
    using heard = await follow({ certificate: inCurrent('tls.crt'), key: inCurrent('tls.key') });
    symlinkSync(second, join(directory, 'new'));
    renameSync(join(directory, 'new'), join(directory, 'current'));
    await toldOf(heard, second);
  });

  test('where something happens in its directory all the time', async () => {
    put(first);
    using heard = await follow();
    const noise = setInterval(() => writeFileSync(join(directory, 'noise'), ''), 50);
    onTestFinished(() => clearInterval(noise));
    put(second);
    await toldOf(heard, second);
    clearInterval(noise);
  });

  test('where the directory goes and comes again', async () => {
    const inner = join(directory, 'tls');
    const files = { certificate: join(inner, 'tls.crt'), key: join(inner, 'tls.key') };
    mkdirSync(inner);
    put(first, files);
    using heard = await follow(files);
    rmSync(inner, { recursive: true });
    await eventually(() => expect(heard.troubles.length).toBeGreaterThan(0));
    mkdirSync(inner);
    put(second, files);
    await toldOf(heard, second);
  });

  test('when it is asked for', async () => {
    put(first);
    using heard = await follow();
    put(second);
    heard.watch.reload();
    await toldOf(heard, second);
  });
});

test('nothing is told where the files are the same', async () => {
  put(first);
  using heard = await follow();
  put(first);
  heard.watch.reload();
  await pause(1_000);
  expect(heard).toMatchObject({ changes: [], troubles: [] });
});

test('a pair that cannot be used is trouble, and the next one that can is taken', async () => {
  put(first);
  using heard = await follow();
  copyFileSync(onShelf('second.crt'), inPlace().certificate);
  await eventually(() => expect(heard.troubles).toMatchObject([{ code: 'key_pair_unusable' }]));
  expect(heard.changes).toEqual([]);
  copyFileSync(onShelf('second.key'), inPlace().key);
  await toldOf(heard, second);
});

test('nothing begins with a pair that cannot be used', async () => {
  await expect(follow()).rejects.toMatchObject({ code: 'key_pair_unusable' });
});

test('after the end nothing is told', async () => {
  put(first);
  const heard = await follow();
  put(second);
  heard.watch.stop();
  heard.watch.reload();
  await pause(1_000);
  expect(heard).toMatchObject({ changes: [], troubles: [] });
});
