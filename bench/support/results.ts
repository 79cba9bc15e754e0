import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { type Row, tableOf } from './report.ts';

const SOAK_HEADING = '## Soak';

/** RESULTS.md after a run of all benchmarks; of what it was before, the soak stays, which is no part of that run. */
export function pageOf(rows: readonly Row[], before: string): string {
  const soak = before.indexOf(`\n${SOAK_HEADING}\n`);
  return `# Measurements

Made by \`make bench\`, with the baselines measured in the same run. Other machines give other times; the ratios are
what to look at.

${conditions()}

${tableOf(rows)}
${soak < 0 ? '' : before.slice(soak)}`;
}

/** What a soak found, for the end of RESULTS.md. */
export function soakSection(rows: readonly Row[], milliseconds: number): string {
  const load = loadavg().map((value) => value.toFixed(1));
  return `${SOAK_HEADING}

By \`node bench/run.ts soak [MINUTES]\`: so many minutes' worth of random changes, five a second, as fast as they go.

${conditions()}
- ${(milliseconds / 60_000).toFixed(0)} minutes, load averages at the end: ${load.join(', ')}

${tableOf(rows)}
`;
}

function conditions(): string {
  const [cpu] = cpus();
  const nft = execFileSync('nft', ['--version'], { encoding: 'utf8' }).trim();
  const os = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const date = new Date().toISOString().slice(0, 10);
  return `- ${date}, ${cpus().length} x ${cpu?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB
- ${os}, Linux ${release()}, Node ${process.version}, ${nft}`;
}
