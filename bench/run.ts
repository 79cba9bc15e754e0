import { readFileSync, writeFileSync } from 'node:fs';
import { benchmarkApi } from './api.ts';
import { benchmarkAppear } from './appear.ts';
import { benchmarkBulk } from './bulk.ts';
import { benchmarkConnections } from './connections.ts';
import { benchmarkCreate } from './create.ts';
import { benchmarkFlood } from './flood.ts';
import { benchmarkList } from './list.ts';
import { benchmarkMemory } from './memory.ts';
import { benchmarkNeutron } from './neutron.ts';
import { benchmarkOverload } from './overload.ts';
import { benchmarkRange } from './range.ts';
import { soakFor } from './soak.ts';
import { benchmarkStart } from './start.ts';
import { type Benchmark, type Row, tableOf } from './support/report.ts';
import { pageOf, sectionOf } from './support/results.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  start: benchmarkStart,
  appear: benchmarkAppear,
  create: benchmarkCreate,
  bulk: benchmarkBulk,
  connections: benchmarkConnections,
  range: benchmarkRange,
  memory: benchmarkMemory,
  list: benchmarkList,
  api: benchmarkApi,
  flood: benchmarkFlood,
};

/** Those that need more time or packages than the rest: not part of a run that names none. */
const SEPARATE = ['neutron', 'soak', 'overload'] as const;
const RESULTS = new URL('./RESULTS.md', import.meta.url);

const say = (line: string) => process.stdout.write(`${line}\n`);
const [wanted, minutes] = wordsOf(process.argv.slice(2));
const separate = SEPARATE.find((name) => wanted.length === 1 && wanted.includes(name));
const separateBenchmarks = { neutron: benchmarkNeutron, soak: soakFor(minutes), overload: benchmarkOverload };
const started = performance.now();
const rows: Row[] = [];
for (const [name, benchmark] of Object.entries({ ...BENCHMARKS, ...separateBenchmarks })) {
  if (wanted.length > 0 ? !wanted.includes(name) : name in separateBenchmarks) continue;
  say(`${name}:`);
  rows.push(...(await benchmark((line) => say(`  ${line}`))));
}
say(`\n${separate === undefined ? tableOf(rows) : sectionOf(separate, rows, performance.now() - started)}`);
if (wanted.length === 0) writeFileSync(RESULTS, pageOf(rows, readFileSync(RESULTS, 'utf8')));

/** Names, and behind `soak` how many minutes' worth. */
function wordsOf(words: readonly string[]): readonly [names: readonly string[], minutes: number | undefined] {
  const minutes = Number(words[words.indexOf('soak') + 1]);
  if (!words.includes('soak') || !(minutes > 0)) return [words, undefined];
  return [words.filter((word) => word !== String(minutes)), minutes];
}
