import { execFileSync } from 'node:child_process';
import type { Forward } from '../../src/client/operations.ts';
import { isForwardPage } from '../../src/client/operations.ts';
import type { Daemon } from './daemon.ts';

/** At the beginning of an element: behind it, others have the same parts, too. */
const SINGLE =
  /(?<=\{ |,\s+)([\d.]+ \. \d+ \. \d+) counter packets \d+ bytes \d+ (?:timeout \S+ expires \S+ )?comment "([\da-f-]{36})" : ([\d.]+ \. \d+)/g;
const COMMENT = /comment "([\da-f-]{36})"/g;
const NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 };

/** Where the kernel, as nft tells it, is another than the active forwards say: a line each. */
export async function differences(
  daemon: Pick<Daemon, 'call'>,
  routers: readonly string[],
): Promise<readonly string[]> {
  const page = await daemon.call('GET', '/v1/forwards?state=active&limit=10000');
  if (!isForwardPage(page)) throw new Error('no list of forwards was answered');
  return routers.flatMap((router) => {
    const text = execFileSync('ip', ['netns', 'exec', router, 'nft', '--numeric', 'list', 'ruleset'], {
      encoding: 'utf8',
    });
    const own = page.forwards.filter((forward) => forward.router === router);
    const single = Array.from(text.matchAll(SINGLE), ([, key, id, value]) => `${key} : ${value} (${id})`);
    const ids = new Set(Array.from(text.matchAll(COMMENT), ([, id]) => `${id}`));
    return [
      ...difference(single, own.filter(isSingle).map(lineOf)),
      ...difference(
        ids,
        own.map(({ id }) => id),
      ),
    ].map((line) => `${router}: ${line}`);
  });
}

function difference(found: Iterable<string>, wanted: Iterable<string>): readonly string[] {
  const [there, here] = [new Set(found), new Set(wanted)];
  return [
    ...Array.from(there.difference(here), (line) => `in the kernel alone: ${line}`),
    ...Array.from(here.difference(there), (line) => `not in the kernel: ${line}`),
  ];
}

/** One that is an element for anyone and a single port. */
function isSingle({ external_port, sources }: Forward): boolean {
  return sources.length === 0 && !external_port.includes('-');
}

function lineOf({ id, protocol, external_port, internal_address, internal_port, status }: Forward): string {
  const external = `${status.nodes[0]?.external_address} . ${NUMBERS[protocol]} . ${external_port}`;
  return `${external} : ${internal_address} . ${internal_port} (${id})`;
}
