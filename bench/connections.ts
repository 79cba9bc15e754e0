import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseForwardSpec } from '../src/model/forward.ts';
import { isRule, resolveForward } from '../src/program/rule.ts';
import { createNetwork, GATEWAY, INSTANCE } from '../test/support/network.ts';
import type { Benchmark, Row } from './support/report.ts';
import { scriptOf } from './support/script.ts';
import { median } from './support/statistics.ts';

const FORWARDS = 10_000;
const FIRST_PORT = 20_001;
const LAST_PORT = FIRST_PORT + FORWARDS - 1;
const SERVICE = 8080;
const AT_ONCE = 16;
const DURATION = 2_000;
const ROUNDS = 11;
const script = (name: string) => new URL(`./support/${name}.ts`, import.meta.url).pathname;

/** New connections a second through one forward, the last of 10,000, and the last rule of a classic chain of 10,000. */
export const benchmarkConnections: Benchmark = async (tell) => {
  await using network = await createNetwork();
  const { client, router, instance } = network;
  const server = spawn('ip', ['netns', 'exec', instance, process.execPath, script('acceptor'), String(SERVICE)]);
  await once(server.stdout, 'data');
  const ways: Readonly<Record<string, { readonly rates: number[]; readonly program: () => void }>> = {
    single: { rates: [], program: () => byNft(router, tableOf(LAST_PORT, 1)) },
    last: { rates: [], program: () => byNft(router, tableOf(FIRST_PORT, FORWARDS)) },
    chain: { rates: [], program: () => byIptables(router) },
  };
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { rates, program } of Object.values(ways)) {
      program();
      rates.push(connectionRate(client));
      byNft(router, 'flush ruleset\n');
    }
    const told = Object.entries(ways).map(([name, { rates }]) => `${name} ${rates.at(-1)?.toFixed(0)}/s`);
    tell(`round ${round}: ${told.join(', ')}`);
  }
  await end(server);
  const [single = 0, last = 0, chain = 0] = Object.values(ways).map(({ rates }) => median(rates));
  const row = (what: string, rate: number, target: string, met: boolean): Row => ({
    what,
    measured: `${rate.toFixed(0)} a second`,
    against: `through a single forward: ${single.toFixed(0)} a second (ratio ${(rate / single).toFixed(2)})`,
    target,
    met,
  });
  return [
    row(`new connections, last of ${FORWARDS} forwards`, last, 'at least 0.95 times', last >= 0.95 * single),
    row(`new connections, last of ${FORWARDS} iptables rules`, chain, 'for comparison', true),
  ];
};

function tableOf(firstPort: number, count: number): string {
  const rules = Array.from({ length: count }, (_, at) => {
    const spec = parseForwardSpec({
      router: 'router',
      external_port: firstPort + at,
      external_address: GATEWAY[4],
      internal_address: INSTANCE[4],
      internal_port: SERVICE,
    });
    return resolveForward({ ...spec, id: randomUUID(), revision: 1, createdAt: '', updatedAt: '' }, {});
  });
  return scriptOf(new Map(rules.filter(isRule).map((rule) => [rule.forward, rule])));
}

function byNft(router: string, script: string): void {
  // Not on its standard input, a socket, which nft 1.0.9 refuses to read.
  const directory = mkdtempSync(join(tmpdir(), 'hatoba-bench-'));
  const file = join(directory, 'script.nft');
  writeFileSync(file, script);
  execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', file]);
  rmSync(directory, { recursive: true });
}

function byIptables(router: string): void {
  const rules = Array.from({ length: FORWARDS }, (_, at) => {
    const match = `-A PREROUTING -d ${GATEWAY[4]}/32 -p tcp -m tcp --dport ${FIRST_PORT + at}`;
    return `${match} -j DNAT --to-destination ${INSTANCE[4]}:${SERVICE}`;
  });
  const input = `*nat\n${rules.join('\n')}\nCOMMIT\n`;
  execFileSync('ip', ['netns', 'exec', router, 'iptables-restore', '--noflush'], { input });
}

function connectionRate(client: string): number {
  const words = [GATEWAY[4], LAST_PORT, AT_ONCE, DURATION].map(String);
  const command = ['netns', 'exec', client, process.execPath, script('connector'), ...words];
  return Number(execFileSync('ip', command, { encoding: 'utf8' })) / (DURATION / 1000);
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
