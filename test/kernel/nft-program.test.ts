import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openNftDriver } from '../../src/kernel/nft/nft.ts';
import { runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';

/** nft 1.0.9 (libnftables.c, filename_is_useable) reads no standard input that is a socket, and any child's of Node's is one. */
const LIKE_1_0_9 = `#!/bin/sh
case "$*" in
  *'-f -'*)
    if [ -S /dev/stdin ]; then
      echo 'internal:0:0-0: Error: Not a regular file: "/dev/stdin"' >&2
      exit 1
    fi
    ;;
esac
PATH=\${PATH#*:}
exec nft "$@"
`;

const SCRIPT = `
table inet example {
  chain forward { type filter hook forward priority -10 ; policy accept ; }
}
`;

let directory: string;
let namespaces: Namespaces;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hatoba-nft-'));
  mkdirSync(join(directory, 'refusing'));
  writeFileSync(join(directory, 'refusing/nft'), LIKE_1_0_9, { mode: 0o755 });
  namespaces = await createNamespaces();
  await namespaces.add(namespaces.name('router'));
});

afterEach(() => {
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await namespaces?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function runScript(script: string): string | undefined {
  const namespace = openSync(`/run/netns/${namespaces.name('router')}`, 'r');
  try {
    return openNftDriver('nft').run(namespace, script);
  } finally {
    closeSync(namespace);
  }
}

test.each([
  ['of this machine', []],
  ['of version 1.0.9', ['refusing']],
])('the program nft %s runs a script, or says why not', async (_, programs) => {
  const path = [...programs.map((program) => join(directory, program)), process.env['PATH']];
  vi.stubEnv('PATH', path.join(':'));
  expect(runScript(SCRIPT)).toBeUndefined();
  const listing = await runIn(namespaces.name('router'), 'nft', ['list', 'ruleset']);
  expect(listing).toContain('type filter hook forward priority filter - 10; policy accept;');
  expect(runScript('delete table inet example\nadd table inet\n')).toContain('syntax error');
  expect(await runIn(namespaces.name('router'), 'nft', ['list', 'ruleset'])).toBe(listing);
  expect(runScript('delete table inet example')).toBeUndefined();
});
