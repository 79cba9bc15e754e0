import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SCRIPTS = join(import.meta.dirname, '../../scripts');

/** The machine's own programs that the script may use; everything else it meets is one of the test's. */
const REAL = ['cat', 'chmod', 'dirname', 'grep', 'mkdir', 'mktemp', 'rm', 'touch', 'tr'];

const TEST_PACKAGES = [...packagesOf('run'), ...packagesOf('test')];
const ALL_PACKAGES = [...TEST_PACKAGES, ...packagesOf('openstack')];

const UNREACHABLE = 'echo "could not reach http://packages.example"; exit 100';

let machine = '';

beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), 'hatoba-bootstrap-test-'));
  mkdirSync(join(machine, 'bin'));
  cpSync(SCRIPTS, join(machine, 'checkout/scripts'), { recursive: true });
  writeFileSync(join(machine, 'checkout/package-lock.json'), '{}');
  for (const name of REAL) symlinkSync(find(name), join(machine, 'bin', name));
  program('id', 'echo 0');
  installed(ALL_PACKAGES);
  program('node', 'echo v20.19.0');
  program('npm', `${log('npm')}; ${brings('v24.15.0')}`);
  program('apt-get', log('apt-get'));
});

afterEach(() => {
  rmSync(machine, { recursive: true });
});

function find(name: string): string {
  const path = ['/usr/bin', '/bin'].map((directory) => join(directory, name)).find((file) => existsSync(file));
  return path ?? name;
}

function packagesOf(purpose: string): readonly string[] {
  return readFileSync(join(SCRIPTS, `packages-${purpose}.txt`), 'utf8')
    .split('\n')
    .filter(Boolean);
}

function program(name: string, script: string): void {
  const file = join(machine, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

function installed(packages: readonly string[]): void {
  program('dpkg-query', `cat <<END\n${packages.map((name) => `installed ${name}`).join('\n')}\nEND\nexit 1`);
}

function log(name: string): string {
  return `echo ${name} "$@" >>${machine}/log`;
}

/** What npm does here: it leaves a node of this version. */
function brings(version: string): string {
  return [
    'mkdir -p node_modules/.bin',
    'touch node_modules/.package-lock.json',
    `{ echo '#!/bin/sh'; echo 'echo ${version}'; } >node_modules/.bin/node`,
    'chmod +x node_modules/.bin/node',
  ].join('; ');
}

function calls(): readonly string[] {
  const file = join(machine, 'log');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

function bootstrap(what = 'openstack'): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const env = { PATH: join(machine, 'bin'), TMPDIR: machine };
  return spawnSync(join(machine, 'checkout/scripts/bootstrap.sh'), [what], { encoding: 'utf8', env });
}

describe('where all is there', () => {
  test('nothing is said and nothing is done', () => {
    bootstrap();
    rmSync(join(machine, 'log'));
    expect(bootstrap()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(calls()).toEqual([]);
  });

  test('no file is left behind', () => {
    bootstrap();
    expect(spawnSync('ls', [machine], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)).toEqual([
      'bin',
      'checkout',
      'log',
    ]);
  });

  test('a newer list of npm packages is installed', () => {
    bootstrap();
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(machine, 'checkout/package-lock.json'), later, later);
    bootstrap();
    expect(calls()).toEqual([
      'npm install --no-save --no-audit --no-fund',
      'npm install --no-save --no-audit --no-fund',
    ]);
  });
});

describe('where Debian packages are missing', () => {
  beforeEach(() => {
    installed(ALL_PACKAGES.filter((name) => name !== 'nftables' && name !== 'zsh'));
  });

  test('these are installed', () => {
    expect(bootstrap()).toMatchObject({ status: 0, stderr: '' });
    expect(calls()).toEqual([
      expect.stringMatching(/^apt-get install .* nftables zsh$/),
      expect.stringMatching(/^npm/),
    ]);
  });

  test('for running, those for testing are not asked for', () => {
    expect(bootstrap('run').stdout).toContain('installing the Debian packages nftables\n');
  });

  test('for testing, those of OpenStack are not asked for', () => {
    installed(TEST_PACKAGES);
    expect(bootstrap('test').stdout).toBe('installing the npm packages\n');
    expect(bootstrap('openstack').stdout).toContain('installing the Debian packages python3-keystone');
  });

  test('for checking the sources, none is asked for, nor root', () => {
    program('id', 'echo 1000');
    expect(bootstrap('check')).toMatchObject({ status: 0, stdout: 'installing the npm packages\n', stderr: '' });
  });

  test('the lists of packages are updated where they do not do', () => {
    program('apt-get', `${log('apt-get')}; [ -e ${machine}/lists ] || { touch ${machine}/lists; exit 100; }`);
    expect(bootstrap('run')).toMatchObject({ status: 0, stderr: '' });
    expect(calls().map((call) => call.split(' ')[1])).toEqual(['install', 'update', 'install', 'install']);
  });
});

describe('one sentence where it cannot be done:', () => {
  test.each([
    ['without root', () => program('id', 'echo 1000'), 'This needs root'],
    [
      'without apt-get',
      () => {
        installed([]);
        rmSync(join(machine, 'bin/apt-get'));
      },
      'There is no apt-get on this machine; install by other means: iproute2',
    ],
    [
      'without a network for Debian packages',
      () => {
        installed([]);
        program('apt-get', UNREACHABLE);
      },
      'is there a network?',
    ],
    ['without a network for npm packages', () => program('npm', UNREACHABLE), 'is there a network?'],
    ['without npm', () => rmSync(join(machine, 'bin/npm')), 'There is no npm on this machine; install Node 20'],
    ['without node', () => rmSync(join(machine, 'bin/node')), 'There is no node on this machine; install Node 20'],
    [
      'with an old node',
      () => program('node', 'echo v18.20.4'),
      'The node on this machine is v18.20.4; install Node 20',
    ],
    [
      'with an npm that runs no install scripts',
      () => program('npm', 'mkdir node_modules'),
      'does not run; remove node_modules',
    ],
    ['with another node than asked for', () => program('npm', brings('v22.1.0')), 'brought v22.1.0 instead of Node 24'],
  ])('%s', (_, spoil, sentence) => {
    spoil();
    const { status, stderr } = bootstrap();
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('example');
  });
});
