import { runIn } from '../support/command.ts';

export type Iptables = 'iptables-nft' | 'iptables-legacy';

const RULE = new RegExp(
  '^-A hatoba-prerouting (?:-s (\\S+) )?-d (\\S+?)/(?:32|128) -p (\\S+) -m \\3 --dport (\\d+)(?::(\\d+))? ' +
    '-m comment --comment (\\S+) -j DNAT --to-destination (?:\\[([^\\]]+)\\]|([\\d.]+)|([\\da-f:]+))' +
    '(?::(\\d+)(?:-\\d+)?(/\\d+)?)?$',
);

export function programsOf(iptables: Iptables): readonly string[] {
  return [iptables, iptables.replace(/^ip/, 'ip6')];
}

/** The forwards in our chains, as `linesOf` prints rules, in alphabetical order; `null`: there are none of our chains. */
export async function listedRules(namespace: string, iptables: Iptables): Promise<readonly string[] | null> {
  const dumps = await Promise.all(
    programsOf(iptables).map((program) => runIn(namespace, `${program}-save`, ['-t', 'nat'])),
  );
  const lines = dumps.join('').split('\n');
  if (!lines.some((line) => line.startsWith(':hatoba-'))) return null;
  return lines
    .filter((line) => line.startsWith('-A hatoba-prerouting '))
    .flatMap(readLine)
    .sort();
}

/** One for each port, where a range is shifted or single. */
function readLine(line: string): readonly string[] {
  const match = RULE.exec(line);
  if (match === null) return [line];
  const [, source = '*', address, protocol, from = '', to = from, forward, bracketed, four, six, target, base] = match;
  const print = (port: string, targetPort: string) => {
    const host = source.replace(/\/(32|128)$/, '');
    return `${forward}: ${protocol} from ${host} ${address} ${port} → ${bracketed ?? four ?? six} ${targetPort}`;
  };
  if (from !== to && base === undefined) return [print(`${from}-${to}`, target ?? '*')];
  const [first, last, inner] = [Number(from), Number(to), Number(target ?? from)];
  return Array.from({ length: last - first + 1 }, (_, step) => print(`${first + step}`, `${inner + step}`));
}
