import { portCount } from '../../src/model/port-range.ts';
import type { Rule } from '../../src/program/rule.ts';

/**
 * What a rule is in a data plane's table, a line each: `<id>: tcp from * 203.0.113.7 80-89 → 10.0.0.1 *`. A range that
 * keeps its ports, or leads to one, is one line; `*` stands for anyone, or for the port as it is.
 */
export function linesOf(rule: Rule): readonly string[] {
  const { forward, protocol, external, internal, sources } = rule;
  const from = sources.length === 0 ? ['*'] : sources.map(({ text }) => text.replace(/\/(32|128)$/, ''));
  return from.flatMap((source) =>
    portLines(rule).map(
      ([port, target]) =>
        `${forward}: ${protocol} from ${source} ${external.text} ${port} → ${internal.text} ${target}`,
    ),
  );
}

function portLines({ externalPorts, internalPorts }: Rule): readonly (readonly [string, string])[] {
  const { first, last } = externalPorts;
  if (portCount(externalPorts) > 1 && first === internalPorts.first && last === internalPorts.last) {
    return [[`${first}-${last}`, '*']];
  }
  if (portCount(externalPorts) > 1 && portCount(internalPorts) === 1) {
    return [[`${first}-${last}`, `${internalPorts.first}`]];
  }
  return Array.from({ length: last - first + 1 }, (_, step) => [`${first + step}`, `${internalPorts.first + step}`]);
}
