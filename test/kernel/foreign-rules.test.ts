import { afterAll, beforeAll, expect, test } from 'vitest';
import { readForeignRules } from '../../src/dataplane/linux/foreign-rules.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { programOf, ruleOf } from '../program/programs.ts';
import { nft, runIn } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { openTestKernel, startLinux } from './linux-under-test.ts';

let namespaces: Namespaces;
let kernel: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  kernel = await openTestKernel();
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

async function attached(label: string): Promise<string> {
  const name = namespaces.name(label);
  await namespaces.add(name);
  await kernel.attach(name);
  return name;
}

/** The kernel, and the programs that were run through it. */
function watched(programs: string[]): Pick<Kernel, 'othersTables' | 'run'> {
  return {
    othersTables: (namespace) => kernel.othersTables(namespace),
    run(namespace, argv) {
      programs.push(argv.join(' '));
      return kernel.run(namespace, argv);
    },
  };
}

const OURS = programOf([ruleOf(1, 'tcp', ['192.0.2.1', 5001], ['10.0.0.5', 22])]);
const PROGRAMS = ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'] as const;

test('where nobody else has rules, no program is run, and none are made', async () => {
  const router = namespaces.name('router-empty');
  await namespaces.add(router);
  await using linux = await startLinux(namespaces.prefix);
  await linux.dataplane.synchronise(router, OURS);
  await kernel.attach(router);
  expect(await runIn(router, 'nft', ['list', 'tables'])).toBe('table inet hatoba\n');
  const programs: string[] = [];
  expect(await readForeignRules(watched(programs), router)).toEqual({ dumps: [], nft: null, unread: [] });
  expect(programs).toEqual([]);
});

test.each(PROGRAMS)('rules of %s are read, and no other program of iptables is run', async (program) => {
  const namespace = await attached(program);
  await runIn(namespace, program, ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '80', '-j', 'ACCEPT']);
  await runIn(namespace, program, ['-t', 'raw', '-A', 'PREROUTING', '-p', 'udp', '-j', 'DROP']);
  const before = await kernel.othersTables(namespace);
  const programs: string[] = [];
  const { dumps, nft: ruleset, unread } = await readForeignRules(watched(programs), namespace);
  expect(dumps.map((dump) => dump.program)).toEqual([program]);
  expect(dumps[0]?.text).toMatch(/^-A PREROUTING -p tcp -m tcp --dport 80 -j ACCEPT$/m);
  expect(dumps[0]?.text).toMatch(/^-A PREROUTING -p udp -j DROP$/m);
  expect(unread).toEqual([]);
  const isNft = program.endsWith('-nft');
  expect(ruleset !== null).toBe(isNft);
  expect(programs.filter((words) => !words.startsWith('nft '))).toEqual([`${program}-save`]);
  expect(await kernel.othersTables(namespace)).toEqual(before);
  expect(before.legacy[program.startsWith('ip6') ? 6 : 4].toSorted()).toEqual(isNft ? [] : ['nat', 'raw']);
});

test('tables of nft are read with their text, without ours, and without what is in sets', async () => {
  const router = namespaces.name('router-nft');
  await namespaces.add(router);
  await using linux = await startLinux(namespaces.prefix);
  await linux.dataplane.synchronise(router, OURS);
  await kernel.attach(router);
  await nft(
    router,
    `table ip hatoba { }
     table inet own {
       set ports { type inet_service; elements = { 22 } }
       chain pre {
         type nat hook prerouting priority -150;
         ip daddr 192.0.2.1 tcp dport { 80, 90-99 } dnat to 10.0.0.9:8080 comment "by hand"
       }
     }`,
  );
  const { dumps, nft: ruleset } = await readForeignRules(kernel, router);
  expect(dumps).toEqual([]);
  expect(ruleset?.objects).toContainEqual({ table: expect.objectContaining({ family: 'ip', name: 'hatoba' }) });
  expect(ruleset?.objects).toContainEqual({ rule: expect.objectContaining({ table: 'own', comment: 'by hand' }) });
  expect(ruleset?.text).toContain('table inet hatoba');
  expect(JSON.stringify(ruleset?.objects)).not.toMatch(/"family":"inet",("name":"\w+",)?"(name|table)":"hatoba"/);
  expect(JSON.stringify(ruleset?.objects)).not.toContain('"elem"');
  expect(ruleset?.text).toMatch(/tcp dport \{ 80, 90-99 \} dnat ip to 10\.0\.0\.9:8080 comment "by hand" # handle \d+/);
});

test('what iptables cannot print is still in what nft tells', async () => {
  const namespace = await attached('mixed');
  await runIn(namespace, 'iptables-nft', ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'ACCEPT']);
  await nft(namespace, 'add rule ip nat PREROUTING ip daddr 192.0.2.3 tcp dport 81 dnat to 10.0.0.5:81');
  const { dumps, nft: ruleset } = await readForeignRules(kernel, namespace);
  expect(dumps[0]?.text).not.toContain('-A PREROUTING');
  expect(ruleset?.text).toContain('tcp dport 81 dnat to 10.0.0.5:81');
});

test('a program that is missing or fails is named, and the others are read', async () => {
  const namespace = await attached('failing');
  await runIn(namespace, 'iptables-nft', ['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'ACCEPT']);
  const without: Pick<Kernel, 'othersTables' | 'run'> = {
    othersTables: (name) => kernel.othersTables(name),
    run: (name, argv) => kernel.run(name, argv[0] === 'nft' ? argv : ['hatoba-no-such-program']),
  };
  const { nft: ruleset, unread } = await readForeignRules(without, namespace);
  expect(unread).toEqual(['iptables-nft-save: it is not installed']);
  expect(ruleset?.objects).not.toEqual([]);
});

test('nothing is read where nothing is attached', async () => {
  await expect(readForeignRules(kernel, 'elsewhere')).rejects.toMatchObject({ code: 'namespace_gone' });
});
