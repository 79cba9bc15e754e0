import type { AdoptResult } from '../../client/operations.ts';
import type { CliContext, Stream } from '../context.ts';
import { formatElapsed } from '../forwards/report.ts';
import { visible } from '../output/text.ts';
import { changeLine } from '../transfer/report.ts';

type Rule = AdoptResult['rules'][number];

/** What would be done: forwards to make, rules to remove, and rules that stay, each with the reason. */
export function printAdoption(stream: Stream, result: AdoptResult): void {
  const { changes, rules, left, bypassed, unread, owned } = result;
  const lines = [
    ...changes.map(changeLine),
    ...rules.map((rule) => `- ${describe(rule)}`),
    ...[...left, ...bypassed].flatMap((rule) => [
      `! ${rule.instance}: ${rule.program}: ${rule.reason}`,
      `    ${rule.text}`,
    ]),
    ...unread.map((reason) => `! ${reason}`),
    ...owned.map(ownedLine),
    `${count(changes.length, 'forward')} to make, ${count(rules.length, 'rule')} to remove, ${left.length} not taken over`,
  ];
  stream.write(lines.map((line) => `${visible(line)}\n`).join(''));
}

/** What was done, behind what was to be. */
export function printOutcome({ process }: CliContext, { changes, rules }: AdoptResult, elapsedMs: number): void {
  const of = (outcome: Rule['outcome']) => rules.filter((rule) => rule.outcome === outcome);
  const stay = [...of('kept'), ...of('failed')];
  const gone = of('gone').length;
  const numbers = [
    `${count(changes.length, 'forward')} made`,
    `${count(of('removed').length, 'rule')} removed`,
    ...(gone === 0 ? [] : [`${gone} already gone`]),
    ...(stay.length === 0 ? [] : [`${stay.length} stay`]),
  ];
  const lines = [
    ...stay.flatMap((rule) => [`! ${rule.instance}: ${rule.program}: ${rule.reason}`, `    ${rule.text}`]),
    `${numbers.join(', ')} after ${formatElapsed(elapsedMs)}`,
  ];
  process.stdout.write(lines.map((line) => `${visible(line)}\n`).join(''));
}

function describe({ instance, program, text }: Rule): string {
  return `${instance}: ${program}: ${text}`;
}

function ownedLine({ owner, rules }: AdoptResult['owned'][number]): string {
  return rules === 1 ? `1 rule is of ${owner}, and stays with it` : `${rules} rules are of ${owner}, and stay with it`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
