import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { type Row, tableOf } from './report.ts';

/** Benchmarks that run alone, and what RESULTS.md says of them; in its order. */
const SEPARATE = {
  neutron: {
    heading: '## Beside Neutron',
    how:
      'By `node bench/run.ts neutron`: the same requests to `/v2.0` of a stand-alone hatoba and of a real neutron-server, one\n' +
      'after the other. Each is one process on SQLite that asks nobody who they are; Neutron has no agents to tell. All forwards\n' +
      'are at one floating IP and lead to one port: Neutron reads these along at each create, so that few and many differ.',
  },
  overload: {
    heading: '## Overload',
    how:
      'By `node bench/run.ts overload`: clients that ask for more than they read, while forwards are applied; what they are is in\n' +
      '[overloader.ts](support/overloader.ts). They run on the same two cores as the daemon.',
  },
  soak: {
    heading: '## Soak',
    how: "By `node bench/run.ts soak [MINUTES]`: so many minutes' worth of random changes, five a second, as fast as they go.",
  },
} as const;

/** RESULTS.md after a run of all benchmarks; of what it was before, what is no part of that run stays. */
export function pageOf(rows: readonly Row[], before: string): string {
  const kept = Object.values(SEPARATE).flatMap(({ heading }) => keptSection(before, heading) ?? []);
  return `# Measurements

Made by \`make bench\`, with the baselines measured in the same run. Other machines give other times; the ratios are
what to look at.

${conditions()}

${[tableOf(rows), ...kept].join('\n\n')}
`;
}

function keptSection(page: string, heading: string): string | null {
  const start = page.indexOf(`\n${heading}\n`) + 1;
  if (start === 0) return null;
  const end = page.indexOf('\n## ', start);
  return page.slice(start, end < 0 ? page.length : end).trimEnd();
}

/** What a benchmark that ran alone found, for RESULTS.md. */
export function sectionOf(name: keyof typeof SEPARATE, rows: readonly Row[], milliseconds: number): string {
  const load = loadavg().map((value) => value.toFixed(1));
  const { heading, how } = SEPARATE[name];
  return `${heading}

${how}

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
