import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/model/address.ts';
import { printForwardSpec } from '../../src/model/forward.ts';
import { OTHER_ROUTER, publish, ROUTER, report } from '../api/api-under-test.ts';
import { type CliBench, masked, openCliBench } from './cli-under-test.ts';

let bench: CliBench;
beforeEach(async () => {
  bench = await openCliBench();
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

async function file(name: string, text: string): Promise<string> {
  const path = join(bench.directory, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

function dump(...rules: readonly string[]): string {
  return ['*nat', ':PREROUTING ACCEPT [0:0]', ...rules.map((rule) => `-A PREROUTING ${rule}`), 'COMMIT', ''].join('\n');
}

const WEB =
  '-d 192.168.1.100/32 -p tcp -m comment --comment "the web" -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:8080';
const EVERY = '-p tcp -m tcp --dport 81 -j DNAT --to-destination 10.0.0.5';

function there(): readonly string[] {
  return bench.registry.forwards.list().map((forward) => {
    const { router, external_address, external_port, internal_port, description } = printForwardSpec(forward);
    return `${router} ${external_address} ${external_port} ${internal_port} ${description}`;
  });
}

test('takes over what it can, and names what it cannot', async () => {
  const path = await file('rules', dump(WEB, EVERY));
  const dry = await bench.run('import', path, '--router', 'r1', '--dry-run');
  expect(dry).toEqual({
    stdout: [
      '+ r1 192.168.1.100:80/tcp -> 10.0.0.5:8080',
      'dry run: 1 to create, 0 to change, 0 to remove, 0 unchanged',
      `! ${path}:4: it is for every address (no -d), a forward for one`,
      `    -A PREROUTING ${EVERY}`,
      '',
    ].join('\n'),
    stderr: [
      'hatoba: 1 of 2 DNAT rules were not taken over',
      '  hint: The list above says why; what was taken over stays. Add the others by hand as they are meant.',
      '',
    ].join('\n'),
    exit: 1,
  });
  expect(there()).toEqual([]);
  expect((await bench.run('import', path, '--router', 'r1')).exit).toBe(1);
  expect(there()).toEqual(['r1 192.168.1.100 80 8080 the web']);
  const again = await bench.run('import', path, '--router', 'r1');
  expect(masked(again.stdout)).toContain('0 created, 0 changed, 0 removed, 1 unchanged after <time>\n');
});

test('a dump that is taken over whole ends well, also from standard input', async () => {
  const { stderr, exit } = await bench.feed(dump(WEB), 'import', '--router', 'r1', '--no-wait', '-');
  expect({ stderr, exit }).toEqual({ stderr: 'hatoba: 1 forward: no node has the router r1 yet\n', exit: 0 });
  expect(there()).toHaveLength(1);
});

describe('the router of a dump', () => {
  test('is told by the name of a file after Neutron’s namespaces', async () => {
    for (const name of [`qrouter-${ROUTER}`, `snat-${OTHER_ROUTER}.rules`]) {
      await bench.run('import', await file(name, dump(WEB)), '--no-wait');
    }
    expect(there()).toEqual([
      `${ROUTER} 192.168.1.100 80 8080 the web`,
      `${OTHER_ROUTER} 192.168.1.100 80 8080 the web`,
    ]);
  });

  test('or after a namespace that a node has, in a directory of many', async () => {
    await publish(bench.registry, report(0, { router: 'edge.1', instances: ['edge.1'] }));
    await file('netns/edge.1.v4', dump(WEB));
    await file(`netns/qrouter-${ROUTER}`, dump(WEB));
    await file('netns/.hidden', 'nonsense');
    const { exit } = await bench.run('import', join(bench.directory, 'netns'), '--no-wait');
    expect(exit).toBe(0);
    expect(there().map((line) => line.split(' ')[0])).toEqual(['edge.1', ROUTER]);
  });

  test('and otherwise has to be named', async () => {
    const { stderr, exit } = await bench.run('import', await file('rules.v4', dump(WEB)));
    expect(stderr).toContain('rules.v4 does not tell which router it is of');
    expect(exit).toBe(2);
    expect(there()).toEqual([]);
  });
});

test('the present gateway is followed where that is asked for', async () => {
  await publish(bench.registry, report(0));
  const path = await file(`qrouter-${ROUTER}`, dump(WEB));
  await bench.run('import', path, '--no-wait', '--follow-gateway');
  expect(there()).toEqual([`${ROUTER} gateway 80 8080 the web`]);
});

test('rules of the outside interface are taken over where that is named', async () => {
  const path = await file('rules', dump(`-i wan0 ${WEB}`, `-i lan0 ${WEB}`));
  expect((await bench.run('import', path, '--router', 'r1', '--dry-run')).stderr).toContain('2 of 2');
  const named = await bench.run('import', path, '--router', 'r1', '--no-wait', '--outside', 'wan', '--outside', 'ppp');
  expect(named.stdout).toContain(`! ${path}:4: no packet from outside meets all its conditions\n`);
  expect(there()).toHaveLength(1);
});

test('Neutron’s own rules are counted', async () => {
  const own = [
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    ':neutron-l3-agent-pf-1 - [0:0]',
    `-A neutron-l3-agent-pf-1 ${WEB}`,
    'COMMIT',
  ];
  const { stdout, exit } = await bench.run('import', await file('rules', own.join('\n')), '--router', 'r1');
  expect(stdout).toContain("1 rule is Neutron's own, and stays with it\n");
  expect(exit).toBe(0);
});

test('all or nothing, and a conflict names file and line', async () => {
  const [first, second] = [
    await file(`qrouter-${ROUTER}`, dump(WEB)),
    await file('more', dump(EVERY, WEB.replace('80 ', '80:81 '))),
  ];
  const { stdout, stderr, exit } = await bench.run('import', first, second, '--router', ROUTER);
  expect(stderr).toContain(`hatoba: ${second}:4: tcp port 80 on 192.168.1.100 already leads elsewhere`);
  expect({ stdout, exit }).toEqual({ stdout: '', exit: 4 });
  expect(there()).toEqual([]);
});

test('files for apply are read as well, beside dumps', async () => {
  const yaml = await file(
    'more.yaml',
    'forwards:\n  - {external_port: 9, internal_address: 10.0.0.9}\n  - {router: r2, external_port: 9, internal_address: 10.0.0.9}\n',
  );
  const path = await file('rules', dump(WEB));
  expect((await bench.run('import', path, yaml, '--router', 'r1', '--no-wait')).exit).toBe(0);
  expect(there().map((line) => line.split(' ')[0])).toEqual(['r1', 'r1', 'r2']);
  const wrong = await file('wrong.yaml', 'forwards:\n  - {external_port: 0, internal_address: 10.0.0.9}\n');
  const { stderr, exit } = await bench.run('import', path, wrong, '--router', 'r1');
  expect(stderr).toContain(`hatoba: ${wrong}:2: port 0 does not exist`);
  expect(exit).toBe(2);
});

describe('rules that packets of forwards would no longer come to', () => {
  const MARK = '-d 192.168.1.100/32 -p tcp --dport 80 -j MARK --set-mark 0x1';

  test('keep a rule from being taken over', async () => {
    const path = await file('rules', dump(MARK, WEB));
    const { stdout, stderr, exit } = await bench.run('import', path, '--router', 'r1', '--no-wait');
    expect(stdout).toContain(
      `! ${path}:4: line 3 does something to its packets (MARK), which would not meet it any more\n`,
    );
    expect(stderr).toContain('1 of 1 DNAT rules were not taken over');
    expect(exit).toBe(1);
    expect(there()).toEqual([]);
  });

  test('or are named where they only report packets', async () => {
    const path = await file('rules', dump('-p tcp -j LOG --log-prefix "in: "', WEB));
    const { stdout, stderr, exit } = await bench.run('import', path, '--router', 'r1', '--no-wait');
    expect(stdout).toContain(`! ${path}:3: packets of the forwards no longer come to it, since forwards come first\n`);
    expect(stderr).toContain('hatoba: rules that packets of forwards no longer come to: 1\n');
    expect(exit).toBe(1);
    expect(there()).toHaveLength(1);
    const document = JSON.parse((await bench.run('import', path, '--router', 'r1', '-o', 'json')).stdout);
    expect(document).toMatchObject({
      left: [],
      bypassed: [{ line: 3, text: '-A PREROUTING -p tcp -j LOG --log-prefix "in: "' }],
    });
  });
});

test('-o json has the rules that are left, too', async () => {
  const { stdout } = await bench.run('import', await file('rules', dump(WEB, EVERY)), '--router', 'r1', '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({
    created: 1,
    foreign: 0,
    left: [{ line: 4, text: `-A PREROUTING ${EVERY}` }],
  });
});

test('a rule without an address is a forward on the gateway, where its interface leads outside', async () => {
  await publish(bench.registry, report(0));
  const path = await file(`qrouter-${ROUTER}`, dump(`-i qg-1 ${EVERY}`));
  expect((await bench.run('import', path, '--no-wait')).exit).toBe(1);
  expect((await bench.run('import', path, '--no-wait', '--outside', 'qg-')).stdout).toContain('--follow-gateway');
  const { exit } = await bench.run('import', path, '--no-wait', '--outside', 'qg-', '--follow-gateway');
  expect(exit).toBe(0);
  expect(there()).toEqual([`${ROUTER} gateway 81 81 null`]);
});

test('where the node knows of several addresses there, it is one for all of them or none', async () => {
  const addresses = ['192.168.1.100', '192.168.1.101'].map((text) => ({
    interface: 'qg-1',
    address: parseAddress(text),
  }));
  const plan = async () => ({ forwards: [], rules: [], left: [], bypassed: [], addresses, unread: [], owners: [] });
  await using cli = await openCliBench({ adoption: { plan, remove: async () => [] } });
  await publish(cli.registry, report(0));
  const words = ['import', '-', '--router', ROUTER, '--no-wait', '--outside', 'qg-', '--follow-gateway'];
  const refused = await cli.feed(dump(`-i qg-1 ${EVERY}`), ...words);
  expect(refused.stdout).toContain(
    'the interface has several (192.168.1.100, 192.168.1.101): --all-addresses makes a forward for each',
  );
  expect(refused.exit).toBe(1);
  expect((await cli.feed(dump(`-i qg-1 ${EVERY}`), ...words, '--all-addresses')).exit).toBe(0);
  expect(cli.registry.forwards.list().map((forward) => printForwardSpec(forward).external_address)).toEqual([
    'gateway',
    '192.168.1.101',
  ]);
});

describe('what else is found in such files is named, with what prints it readably', () => {
  test.each<[string, string | Buffer, string]>([
    [
      'iptables -L',
      'Chain PREROUTING (policy ACCEPT)\ntarget prot opt source destination\n',
      'a listing of iptables -L',
    ],
    ['its chains of users', 'Chain mine (1 references)\n', 'iptables-save prints the rules as a whole'],
    ['nft', 'table ip nat {\n\tchain PREROUTING {\n\t}\n}\n', 'a ruleset of nft, and only rules of iptables'],
    ['nft -j', '{"nftables": [{"metainfo": {}}]}', 'a ruleset of nft -j'],
    [
      'a script',
      '#!/bin/sh\nip netns exec x true\niptables -t nat -A PREROUTING -j ACCEPT\n',
      'a script of iptables commands',
    ],
    ['one with paths', 'sudo /sbin/ip6tables-legacy -t nat -F\n', 'a script of iptables commands'],
    [
      'a table that is not for it',
      "# Table `nat' is incompatible, use 'nft' tool.\n",
      'iptables-save could not read table nat',
    ],
    [
      'also beside others',
      "# Table `nat' is incompatible, use 'nft' tool.\n*filter\nCOMMIT\n",
      'iptables-save could not read table nat',
    ],
    ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(dump(WEB), 'utf16le')]), 'iconv -f UTF-16'],
    ['UTF-16 without a mark', Buffer.from(dump(WEB), 'utf16le'), 'iconv -f UTF-16'],
    ['big-endian', Buffer.from(dump(WEB), 'utf16le').swap16(), 'iconv -f UTF-16'],
    ['gzip', gzipSync(dump(WEB)), 'it is compressed with gzip: unpack it with zcat'],
    ['zstd', zstdCompressSync(dump(WEB)), 'unpack it with zstdcat'],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00]), 'unpack it with xzcat'],
    [
      'something binary',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0x01, 0x00, 0x00, 0x00]),
      'it is binary, and no text',
    ],
  ])('%s', async (_, content, reason) => {
    const path = join(bench.directory, 'rules');
    await writeFile(path, content);
    const { stdout, stderr, exit } = await bench.run('import', path, '--router', 'r1');
    expect(stderr).toContain(reason);
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
    expect(there()).toEqual([]);
  });

  test('a byte order mark is none of it', async () => {
    const path = await file('rules', `\uFEFF${dump(WEB)}`);
    expect((await bench.run('import', path, '--router', 'r1', '--no-wait')).exit).toBe(0);
    expect(there()).toHaveLength(1);
  });

  test('a dump without table nat is said to be one', async () => {
    const { stderr, exit } = await bench.feed('*filter\nCOMMIT\n', 'import', '--router', 'r1', '-');
    expect(stderr).toBe('hatoba: -: it has no table nat, where DNAT rules are\n');
    expect(exit).toBe(0);
  });
});

test('what iptables -S prints is not mistaken for anything', async () => {
  const { stderr, exit } = await bench.run(
    'import',
    await file('rules', `-P PREROUTING ACCEPT\n-A PREROUTING ${WEB}\n`),
    '--router',
    'r1',
  );
  expect(stderr).toContain('it lists rules as iptables -S does, and not as iptables-save');
  expect(exit).toBe(2);
});

test('what is no dump changes nothing', async () => {
  const path = await file('rules', '*nat\n-A MINE -j DNAT\nCOMMIT\n');
  const { stderr, exit } = await bench.run('import', path, '--router', 'r1');
  expect(stderr).toContain(`hatoba: ${path} is not understood: line 2: there is no chain MINE\n`);
  expect(exit).toBe(2);
  expect((await bench.run('import', '/no/such/dump')).exit).toBe(2);
});
