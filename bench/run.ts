import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { benchmarkAppear } from './appear.ts';
import { benchmarkBulk } from './bulk.ts';
import { benchmarkConnections } from './connections.ts';
import { benchmarkCreate } from './create.ts';
import { benchmarkList } from './list.ts';
import { benchmarkMemory } from './memory.ts';
import { soakFor } from './soak.ts';
import { benchmarkStart } from './start.ts';
import { type Benchmark, type Row, tableOf } from './support/report.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  start: benchmarkStart,
  appear: benchmarkAppear,
  create: benchmarkCreate,
  bulk: benchmarkBulk,
  connections: benchmarkConnections,
  memory: benchmarkMemory,
  list: benchmarkList,
};

/** Not part of a run that names none. */
const SOAK = 'soak';

const say = (line: string) => process.stdout.write(`${line}\n`);
const [wanted, minutes] = wordsOf(process.argv.slice(2));
const rows: Row[] = [];
for (const [name, benchmark] of Object.entries({ ...BENCHMARKS, [SOAK]: soakFor(minutes) })) {
  if (wanted.length > 0 ? !wanted.includes(name) : name === SOAK) continue;
  say(`${name}:`);
  rows.push(...(await benchmark((line) => say(`  ${line}`))));
}
say(`\n${tableOf(rows)}`);
if (wanted.length === 0) writeFileSync(new URL('./RESULTS.md', import.meta.url), results(rows));

/** Names, and behind `soak` how many minutes' worth. */
function wordsOf(words: readonly string[]): readonly [names: readonly string[], minutes: number | undefined] {
  const minutes = Number(words[words.indexOf(SOAK) + 1]);
  if (!words.includes(SOAK) || !(minutes > 0)) return [words, undefined];
  return [words.filter((word) => word !== String(minutes)), minutes];
}

function results(all: readonly Row[]): string {
  const [cpu] = cpus();
  const nft = execFileSync('nft', ['--version'], { encoding: 'utf8' }).trim();
  const os = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  return `# Measurements

Made by \`make bench\`, with the baselines measured in the same run. Other machines give other times; the ratios are
what to look at.

- ${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB
- ${os}, Linux ${release()}, Node ${process.version}, ${nft}

${tableOf(all)}
`;
}
