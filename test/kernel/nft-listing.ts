import { PROTOCOL_NUMBERS } from '../../src/model/protocol.ts';
import { runIn } from '../support/command.ts';

/** Our table as the program nft prints it; `null`: there is none. */
export async function listTable(namespace: string, ...flags: readonly string[]): Promise<string | null> {
  const tables = await runIn(namespace, 'nft', ['list', 'tables', 'inet']);
  if (!/^table inet hatoba$/m.test(tables)) return null;
  return runIn(namespace, 'nft', [...flags, 'list', 'table', 'inet', 'hatoba']);
}

const ADDRESS = '[\\da-f.:]+';
const ELEMENT = new RegExp(
  `(?:(\\d+(?:-\\d+)?) \\. )?(${ADDRESS}) \\. (\\d+) \\. (${ADDRESS}(?:/\\d+)?) ` +
    `counter packets \\d+ bytes \\d+ (?:timeout \\S+ expires \\S+ )?(?:comment "([^"]*)" )?: (${ADDRESS})(?: \\. (\\d+))?`,
  'g',
);
const PROTOCOL_NAMES = new Map<string, string>(
  Object.entries(PROTOCOL_NUMBERS).map(([name, number]) => [`${number}`, name]),
);

/** The forwards in our table, as `linesOf` prints rules, in alphabetical order. */
export async function listedRules(namespace: string): Promise<readonly string[] | null> {
  const listing = await listTable(namespace, '--numeric-protocol');
  if (listing === null) return null;
  const maps = listing.split(/^\t(?=map )/m);
  return maps.flatMap((map) => [...map.matchAll(ELEMENT)].flatMap((element) => linesIn(element, map))).sort();
}

/** One for each port, where a range is shifted or single. */
function linesIn(
  [, ports, address, protocol = '', last = '', forward, target, targetPort = '*']: readonly string[],
  map: string,
): readonly string[] {
  const [source, port] = ports === undefined ? ['*', last] : [last.replace(/^.*\/0$/, '*'), ports];
  const print = (from: number | string, to: number | string) =>
    `${forward}: ${PROTOCOL_NAMES.get(protocol)} from ${source} ${address} ${from} → ${target} ${to}`;
  if (!map.startsWith('map shift')) return [print(port, targetPort)];
  const [low = 0, high = 0] = port.split('-').map(Number);
  return Array.from({ length: high - low + 1 }, (_, step) => print(low + step, Number(targetPort) + step));
}
